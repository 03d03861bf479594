// Package report writes results for people and programs: one handler, one file
// a format. How a verdict came about is none of its business.
package report

import (
	"github.com/recipe-verify/recipe-verify/audit"
)

// A Handler writes one report. Its methods are called from one goroutine:
// Start once, Result for each source in order, End once. After an error nothing
// more is called.
type Handler interface {
	Start(audit.Policy) error
	Result(audit.Result) error
	End(audit.Summary) error
}
