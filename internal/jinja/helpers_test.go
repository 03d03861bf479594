package jinja

// variables are those of a test.
type variables map[string]Value

func (v variables) Lookup(name string) (Value, bool, error) {
	value, ok := v[name]
	return value, ok, nil
}
