package html_test

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	devlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/recipe-verify/recipe-verify/report"
)

// Variables of the environment for these tests.
const (
	// chromiumVariable is the path of the browser; without it, PATH is searched.
	chromiumVariable = "RECIPE_VERIFY_CHROMIUM"
	// requireVariable makes an absent browser a failure when it is 1.
	requireVariable = "RECIPE_VERIFY_REQUIRE_CHROMIUM"
	// axeVariable is the folder that npm installed axe-core into, for the check
	// of accessibility; without it, that check is skipped.
	axeVariable = "RECIPE_VERIFY_AXE"
)

// chromium finds the browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	candidates := []string{"chromium", "chromium-browser", "google-chrome"}
	if named := os.Getenv(chromiumVariable); named != "" {
		candidates = []string{named}
	}
	for _, c := range candidates {
		if path, err := exec.LookPath(c); err == nil {
			return path
		}
	}
	message := fmt.Sprintf("found none of %q; $%s names a browser", candidates, chromiumVariable)
	if os.Getenv(requireVariable) == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

// A tab is one page in a browser, and what it did that it should not.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the driver's handle of the tab

	mutex    sync.Mutex
	faults   []string // errors, warnings and messages of the console
	requests []string
}

// newTab starts a browser of its own.
func newTab(t *testing.T, scheme string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		// The page asks nobody; if it did, nobody would answer.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"),
	)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute) // t.Context ends before the browser is closed
	t.Cleanup(cancel)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelAllocator)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("closing the browser: %v", err)
		}
		cancelTab()
	})
	p := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(1280, 900))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *tab) listen(event any) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.faults = append(p.faults, fmt.Sprintf("console.%s: %s", e.Type, spoken(e.Args)))
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *devlog.EventEntryAdded:
		p.faults = append(p.faults, fmt.Sprintf("log, %s: %s", e.Entry.Level, e.Entry.Text))
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

// spoken is what was given to the console.
func spoken(args []*runtime.RemoteObject) string {
	var texts []string
	for _, a := range args {
		texts = append(texts, string(a.Value)+a.Description)
	}
	return strings.Join(texts, " ")
}

// checkQuiet fails if the page has said or asked for anything.
func (p *tab) checkQuiet(file string) {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, f := range p.faults {
		p.t.Errorf("the console has %s", f)
	}
	for _, r := range p.requests {
		if without, _, _ := strings.Cut(r, "#"); without != file {
			p.t.Errorf("the page asked for %s", r)
		}
	}
	if len(p.requests) == 0 {
		p.t.Error("not even the page itself was asked for: requests are not seen")
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// value evaluates an expression.
func value[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression is true.
func (p *tab) wait(expression string) {
	p.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !value[bool](p, expression) {
		if time.Now().After(deadline) {
			p.t.Fatalf("it never came true: %s\nthe count says %q", expression, p.count())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (p *tab) count() string { return value[string](p, `document.getElementById("count").textContent`) }

// key presses a key where the focus is.
func (p *tab) key(key string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key))
}

// visit goes to a fragment of the page as a link would.
func (p *tab) visit(fragment string) {
	p.t.Helper()
	value[string](p, fmt.Sprintf("location.hash = %q", fragment))
}

// column gives the texts of a column of the table, from 1.
func (p *tab) column(n int) []string {
	p.t.Helper()
	return value[[]string](p, fmt.Sprintf(`[...document.querySelectorAll("#rows tr > :nth-child(%d)")].map(e => e.textContent)`, n))
}

// page writes a page of n generated records and the given ones into a file, and gives its
// address.
func page(t *testing.T, n int, more ...*report.Record) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	write(t, out, n, more...)
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(name)}).String()
}

// axe checks accessibility by axe-core's rules, the contrast of colours among
// them.
func (p *tab) axe() {
	p.t.Helper()
	folder := os.Getenv(axeVariable)
	if folder == "" {
		p.t.Logf("$%s is not set: accessibility is not checked", axeVariable)
		return
	}
	source, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.Evaluate[chromedp.Void](string(source)))
	violations, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](
		`axe.run().then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).slice(0, 3).join(" | ")))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, v := range violations {
		p.t.Errorf("axe: %s", v)
	}
}

var keys = struct{ down, up, pageDown, home, enter, escape string }{
	kb.ArrowDown, kb.ArrowUp, kb.PageDown, kb.Home, kb.Enter, kb.Escape,
}
