package publishers_test

import (
	"fmt"

	"github.com/recipe-verify/recipe-verify/publishers"
)

func Example() {
	publisher, err := publishers.Parse("github:pallets/flask@refs/tags/3.*")
	if err != nil {
		fmt.Println(err)
		return
	}
	signer := publishers.Identity{
		SAN:              "https://github.com/pallets/flask-cors/.github/workflows/publish.yaml@refs/tags/3.1.1",
		SANKind:          publishers.URIName,
		Issuer:           publishers.GitHubIssuer,
		SourceRepository: "https://github.com/pallets/flask-cors",
	}
	fmt.Println(publisher.Match(signer))
	// Output: signed by github:pallets/flask-cors, wanted github:pallets/flask@refs/tags/3.*
}
