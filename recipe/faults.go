package recipe

import "errors"

// AllFaults gives the faults of a recipe that an error of this package holds;
// none for other errors.
func AllFaults(err error) []*Error {
	var many Faults
	if errors.As(err, &many) {
		return many
	}
	var one *Error
	if errors.As(err, &one) {
		return []*Error{one}
	}
	return nil
}

// OtherWarnings are the recipe's warnings that are not the Err of a source,
// which whoever looks at the sources sees there.
func (r *Recipe) OtherWarnings() []*Error {
	type place struct {
		pos     Position
		message string
	}
	seen := map[place]bool{}
	for _, o := range r.Outputs {
		for _, s := range o.Sources {
			if s.Err != nil {
				seen[place{s.Err.Pos, s.Err.Message}] = true
			}
		}
	}
	var other []*Error
	for _, w := range r.Warnings {
		if !seen[place{w.Pos, w.Message}] {
			other = append(other, w)
		}
	}
	return other
}
