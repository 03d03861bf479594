package verify_test

import (
	"fmt"
	"os"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/publishers"
	"github.com/recipe-verify/recipe-verify/trust"
	"github.com/recipe-verify/recipe-verify/verify"
)

// Example verifies a bundle that lies in a file, for an archive whose digest is
// known.
func Example() {
	const name = "../testdata/internet/github.com/tidewater/anchor/releases/download/v1.9.0/anchor-1.9.0.tar.gz.sigstore.json"
	document, err := os.ReadFile(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	candidates, err := attestation.Parse(name, document)
	if err != nil {
		fmt.Println(err)
		return
	}
	roots, err := trust.FromFiles("../testdata/trusted-root.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := verify.New(roots.Domains, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	pinned, _ := digest.ParseSHA256("20d81628de2dfbe463915cc4cc1e65605837f5deae71e6806f8885690ee0af4b")
	for _, name := range []string{"github:tidewater/anchor", "github:tidewater/chain"} {
		publisher, _ := publishers.Parse(name)
		evidence, _, err := verifier.Verify(candidates, pinned, verify.Rules{
			Publishers: []publishers.Publisher{publisher},
			Match:      verify.Any,
		})
		if err != nil {
			fmt.Println(err)
			continue
		}
		signed := evidence.Bundles()[0].Verified
		fmt.Println("built from", signed.Certificate.SourceRef, "of", signed.Certificate.SourceRepository)
	}
	// Output:
	// built from refs/tags/v1.9.0 of https://github.com/tidewater/anchor
	// signed by github:tidewater/anchor, wanted github:tidewater/chain
}
