package trust_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/recipe-verify/recipe-verify/trust"
)

func ExampleEmbedded() {
	roots, err := trust.Embedded()
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range roots.Domains {
		fmt.Println(d.Name, "from", d.Origin)
		fmt.Printf("%+v\n", d.Require)
	}
	// Output:
	// public-good from embedded snapshot
	// {SCTs:1 LogEntries:1 ObserverTimestamps:1 SignedTimestamps:0}
}

// The cache or the snapshot is used, and nobody is asked.
func ExampleSource() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	source := &trust.Source{Offline: true, CacheDir: dir}
	roots, err := source.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range roots.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
	fmt.Println(roots.Domains[0].Name)
	// Output: public-good
}

func ExampleParse() {
	_, err := trust.Parse("corporate", []byte(`{
		"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
	}`))
	fmt.Println(err)
	// Output: found no certificate authority in the trusted root
}
