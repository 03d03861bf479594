// Command recipe-verify answers who made the source archives of a conda recipe,
// before a package is built from them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/recipe-verify/recipe-verify/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Main(ctx, cli.OS(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	os.Exit(status)
}
