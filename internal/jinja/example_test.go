package jinja_test

import (
	"fmt"

	"github.com/recipe-verify/recipe-verify/internal/jinja"
)

type variables map[string]jinja.Value

func (v variables) Lookup(name string) (jinja.Value, bool, error) {
	value, ok := v[name]
	return value, ok, nil
}

func Example() {
	engine := jinja.New(jinja.Config{Budget: 10_000})
	vars := variables{"name": jinja.String("Flask"), "version": jinja.String("3.1.1")}
	fmt.Println(engine.Render("${{ name[0] | lower }}/${{ name }}-${{ version }}.tar.gz", vars))
	fmt.Println(engine.Render(`${{ "a" * 10**9 }}`, vars))
	fmt.Println(engine.Truth("match(version, '>=3,<4')", vars))
	// Output:
	// f/Flask-3.1.1.tar.gz <nil>
	//  repetition gives more than 65536 bytes
	// true <nil>
}
