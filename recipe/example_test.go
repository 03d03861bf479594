package recipe_test

import (
	"errors"
	"fmt"

	"github.com/recipe-verify/recipe-verify/recipe"
)

func ExampleParse() {
	text := `context:
  version: 3.1.1
package:
  name: flask
  version: ${{ version }}
source:
  url: https://files.pythonhosted.org/packages/source/f/flask/flask-${{ version }}.tar.gz
  sha256: 6489f1aa60b3ea1a5b1b5a3e9a0a5a0f1f3c9e3c8a3f6a0d6c2f7e8b9a0c1d2e
  attestation:
    publishers:
      - github:pallets/flask
`
	r, err := recipe.Parse("recipe.yaml", []byte(text), recipe.Options{TargetPlatforms: []string{"linux-64"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range r.Sources() {
		if s.Err != nil {
			fmt.Println(s.Err)
			continue
		}
		fmt.Println(s.Pos, s.URLs[0].Value)
		if s.Attestation != nil {
			fmt.Println(s.Attestation.Publishers[0].Pos, s.Attestation.Publishers[0].Text)
		}
	}
	// Output:
	// recipe.yaml:7:3 https://files.pythonhosted.org/packages/source/f/flask/flask-3.1.1.tar.gz
	// recipe.yaml:11:9 github:pallets/flask
}

func ExampleError_Display() {
	text := `package:
  name: flask
source:
  url: https://example.org/flask.tar.gz
  sha265: 6489f1
`
	_, err := recipe.Parse("recipe.yaml", []byte(text), recipe.Options{})
	var fault *recipe.Error
	if errors.As(err, &fault) {
		fmt.Println(fault.Display())
	}
	// Output:
	// recipe.yaml:5:3: unknown key "sha265" in a url source
	//  5 |   sha265: 6489f1
	//    |   ^^^^^^
	// hint: did you mean `sha256`?
}
