package pypi_test

import (
	"context"
	"fmt"

	"github.com/recipe-verify/recipe-verify/attestation"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/pypi"
)

func ExampleParseURL() {
	file, ok := pypi.ParseURL("https://pypi.io/packages/source/F/Flask/Flask-3.1.1.tar.gz")
	fmt.Println(file.Project, file.Version, ok)
	// Output: flask 3.1.1 true
}

// Example finds what PyPI's place in the demonstration serves for a file.
func Example() {
	client := &fetch.Client{Offline: true, Mirrors: []fetch.Mirror{{From: "https://", To: "../testdata/internet"}}}
	defer client.Close()
	resolver := &pypi.Resolver{Client: client}
	answer, err := resolver.Resolve(context.Background(), attestation.Query{
		URLs: []string{"https://pypi.org/packages/source/h/harbour-lights/harbour_lights-2.4.1.tar.gz"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(answer.Candidates), "candidates, none of them verified, from")
	fmt.Println(answer.Addresses[0])
	// Output:
	// 2 candidates, none of them verified, from
	// https://pypi.org/integrity/harbour-lights/2.4.1/harbour_lights-2.4.1.tar.gz/provenance
}
