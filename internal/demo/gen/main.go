// Command gen writes the demonstration into the folder that is its argument.
package main

import (
	"fmt"
	"os"

	"github.com/recipe-verify/recipe-verify/internal/demo"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen FOLDER")
		os.Exit(2)
	}
	if err := demo.Write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
