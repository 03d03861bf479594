package origin_test

import (
	"strings"
	"testing"

	"github.com/recipe-verify/recipe-verify/internal/budget"
	"github.com/recipe-verify/recipe-verify/origin"
)

// Addresses of megabytes cost little, whatever they look like.
func TestHostileAddressesAreCheap(t *testing.T) {
	const n = 4 << 20
	repeat := strings.Repeat
	for name, address := range map[string]string{
		"letters":   repeat("a", n),
		"release":   "https://github.com/a/b/releases/download/" + repeat("v/", n/2) + "c",
		"archive":   "https://github.com/a/b/archive/refs/tags/" + repeat("v/", n/2) + ".tar.gz",
		"PyPI":      "https://pypi.org/packages/source/f/flask/flask-" + repeat("1.", n/2) + ".tar.gz",
		"dashes":    "https://pypi.org/packages/source/f/flask/" + repeat("-", n) + ".tar.gz",
		"files":     "https://files.pythonhosted.org/" + repeat("packages/", n/9),
		"slashes":   "https://github.com/" + repeat("/", n),
		"dots":      "https://github.com/" + repeat("../", n/3),
		"escapes":   "https://github.com/" + repeat("%2f", n/3),
		"host":      "https://" + repeat("www.", n/4) + "github.com/a/b",
		"ports":     "https://github.com" + repeat(":443", n/4),
		"users":     "https://" + repeat("a@", n/2) + "github.com/a/b",
		"query":     "https://github.com/a/b?" + repeat("a=b&", n/4),
		"no UTF-8":  "https://pypi.org/" + repeat("\xff", n),
		"extension": "https://github.com/a/b/archive/x" + repeat(".tar.gz", n/7),
	} {
		t.Run(name, func(t *testing.T) {
			budget.Check(t, func() { origin.Of([]string{address, address}) })
		})
	}
}
