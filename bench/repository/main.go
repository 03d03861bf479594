// Command repository makes a synthetic repository of recipes, and serves the
// PyPI and GitHub that it speaks of on the loopback interface. With -loop it is
// the yardstick instead: sigstore-go's verifier alone, over the same bundles.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("repository: ")
	var s shape
	flag.IntVar(&s.recipes, "recipes", 30_000, "how many recipes")
	flag.IntVar(&s.attested, "attested", 8_000, "how many distinct attested sources")
	flag.IntVar(&s.shared, "shared", 2_000, "how many of them two recipes name")
	dir := flag.String("dir", "", "write recipes, trusted root and bundles into this folder")
	latency := flag.Duration("latency", 50*time.Millisecond, "wait so long before each answer")
	loop := flag.Bool("loop", false, "verify the bundles in the folder with sigstore-go's verifier")
	check := flag.String("check", "", "compare a report in JSON Lines with the verdicts that are expected")
	flag.Parse()
	if err := run(s, *dir, *latency, *loop, *check); err != nil {
		log.Fatal(err)
	}
}

func run(s shape, dir string, latency time.Duration, loop bool, check string) error {
	switch {
	case dir == "":
		return errors.New("-dir is missing")
	case loop:
		return verifyAll(dir)
	case check != "":
		return compare(dir, check)
	}
	world, err := generate(s, dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// The address on the standard output says that everything is ready.
	fmt.Fprintf(os.Stdout, "http://%s\n", listener.Addr())
	server := &http.Server{Handler: &internet{documents: world, latency: latency, asked: map[string]int{}}, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}
