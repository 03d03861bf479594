package attestation_test

import (
	"fmt"

	"github.com/recipe-verify/recipe-verify/attestation"
)

func ExampleParse() {
	lines := bundleOf(statement(subject)) + "\n" + bundleOf(statement(subject))
	candidates, err := attestation.Parse("https://example.org/a.tar.gz.intoto.jsonl", []byte(lines))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range candidates {
		claims, err := c.Unverified()
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(c.Index, c.Format, "claims to speak of", claims.Subjects[0].Name)
	}
	// Output:
	// 0 json-lines claims to speak of a.tar.gz
	// 1 json-lines claims to speak of a.tar.gz
}
