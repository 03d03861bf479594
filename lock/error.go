package lock

import "github.com/recipe-verify/recipe-verify/recipe"

// An Error is a fault of a lock file, or the reason why there can be none.
type Error struct {
	Pos     recipe.Position // of the lock file; of the recipe where a lock was to be made
	Problem string
	Mend    string // what to do, or ""
}

// Error gives "file:line:column: problem".
func (e *Error) Error() string {
	if e.Pos.IsZero() {
		return e.Problem
	}
	return e.Pos.String() + ": " + e.Problem
}

// Hint says what a person may do about it, or "".
func (e *Error) Hint() string { return e.Mend }
