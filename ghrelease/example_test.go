package ghrelease_test

import (
	"context"
	"fmt"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/ghrelease"
)

func Example() {
	client := &fetch.Client{Offline: true, Mirrors: []fetch.Mirror{{From: "https://", To: "../testdata/internet"}}}
	defer client.Close()
	resolver := &ghrelease.Resolver{Client: client}
	answer, err := resolver.Resolve(context.Background(), attestation.Query{
		BundleURLs: []string{"https://github.com/tidewater/anchor/releases/download/v1.9.0/anchor-1.9.0.tar.gz.sigstore.json"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range answer.Candidates {
		fmt.Println(c.Format, "that nobody has verified yet")
	}
	// Output: sigstore-bundle that nobody has verified yet
}
