package html_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// manySources is the size of a large repository.
const manySources = 30_000

// tooSlow is what no operation of the table may take in the browser, on a
// machine that is busy with other tests too. It takes some 30 ms.
const tooSlow = 2 * time.Second

// A page of 30,000 rows in a real browser, in both colour schemes.
func TestChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow")
	}
	chromium(t)
	file := page(t, manySources, hostileRecords()...)
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			p := newTab(t, scheme)
			start := time.Now()
			p.do(chromedp.Navigate(file))
			t.Logf("opened in %s", time.Since(start).Round(time.Millisecond))
			all := manySources + len(hostileRecords())
			if got, want := p.count(), fmt.Sprintf("30,%03d sources, 1 to 100 shown", all-manySources); got != want {
				t.Errorf("the count says %q, want %q", got, want)
			}
			dark := value[bool](p, `matchMedia("(prefers-color-scheme: dark)").matches`)
			ground := value[string](p, `getComputedStyle(document.body).backgroundColor`)
			if dark != (scheme == "dark") || (ground == "rgb(18, 21, 26)") != dark {
				t.Errorf("the ground is %s", ground)
			}
			p.axe()
			searches(t, p)
			sorts(t, p)
			filters(t, p)
			keyboard(t, p)
			opensSource(t, p)
			hostileStaysText(t, p)
			p.checkQuiet(file)
		})
	}
}

// timed says how long the page takes for what a reader does often.
func timed(t *testing.T, p *tab, what, script string) {
	t.Helper()
	took := value[float64](p, fmt.Sprintf(`(() => { const start = performance.now(); %s; document.body.offsetHeight; return performance.now() - start })()`, script))
	d := time.Duration(took * float64(time.Millisecond))
	t.Logf("%s: %s", what, d.Round(100*time.Microsecond))
	if d > tooSlow {
		t.Errorf("%s takes %s", what, d)
	}
}

func searches(t *testing.T, p *tab) {
	t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS("#q"), "Package-012"))
	p.wait(`document.getElementById("count").textContent.startsWith("100 of ")`)
	for _, name := range p.column(2) {
		if !strings.HasPrefix(name, "package-012") {
			t.Errorf("the search found %q", name)
		}
	}
	// Every word must be there, in whatever is known: here two of the page alone.
	one := generated(1200)
	for what, query := range map[string]string{
		"digest":         one.Pinned.SHA256,
		"run and commit": "runs/9000001200 " + one.Bundles[0].Verified.Extensions.SourceDigest,
		"verdict":        "verified package-01200",
	} {
		value[chromedp.Void](p, fmt.Sprintf(`{ const q = document.getElementById("q"); q.value = %q; q.dispatchEvent(new Event("input")) }`, query))
		p.wait(`document.getElementById("count").textContent === "1 of 30,012 sources, 1 to 1 shown"`)
		if got := p.column(2); !slices.Equal(got, []string{"package-01200-3.1.4.tar.gz"}) {
			t.Errorf("%s: the search found %q", what, got)
		}
	}
	value[chromedp.Void](p, `{ const q = document.getElementById("q"); q.value = "no such thing"; q.dispatchEvent(new Event("input")) }`)
	p.wait(`!document.getElementById("nothing").hidden`)
	if got := p.count(); got != "0 of 30,012 sources" {
		t.Errorf("the count says %q", got)
	}
	p.do(chromedp.Click(chromedp.CSS("#reset")))
	p.wait(`document.getElementById("count").textContent.startsWith("30,012 sources")`)
	timed(t, p, "a search", `location.hash = "q=runs/9000&page=2"; dispatchEvent(new HashChangeEvent("hashchange"))`)
	p.do(chromedp.Click(chromedp.CSS("#reset")))
}

func sorts(t *testing.T, p *tab) {
	t.Helper()
	for n, name := range []string{"verdict", "source", "recipe", "host", "coverage", "publisher", "date"} {
		head := fmt.Sprintf(`document.querySelector("th[data-sort=%s]")`, name)
		for _, direction := range []string{"ascending", "descending"} {
			timed(t, p, "sorting by "+name+", "+direction, head+`.querySelector("button").click()`)
			if got := value[string](p, head+`.getAttribute("aria-sort")`); got != direction {
				t.Errorf("%s: aria-sort is %q, want %q", name, got, direction)
			}
			if got := value[int](p, `document.querySelectorAll("#table [aria-sort]").length`); got != 1 {
				t.Errorf("%d columns say that they are sorted", got)
			}
			if name == "recipe" || name == "date" {
				got := value[string](p, `location.hash`)
				want := map[string]string{"ascending": "#sort=" + name, "descending": "#sort=-" + name}[direction]
				if got != want {
					t.Errorf("the address is %q, want %q", got, want)
				}
			}
			checkOrder(t, name, direction, p.column(n+1))
		}
		value[chromedp.Void](p, head+`.querySelector("button").click()`) // as it was
	}
}

func checkOrder(t *testing.T, name, direction string, texts []string) {
	t.Helper()
	if len(texts) != 100 {
		t.Errorf("%s: %d rows are shown", name, len(texts))
	}
	switch {
	case name == "verdict" && direction == "ascending":
		if texts[0] != "mismatch" && !strings.HasPrefix(texts[0], "mismatch") {
			t.Errorf("the worst verdict is %q", texts[0])
		}
	case name == "date" && direction == "ascending":
		if !slices.IsSorted(texts) || texts[0] != "2025-03-01" {
			t.Errorf("dates are not in order: %q", texts)
		}
	case name == "publisher" && direction == "ascending":
		owners := slices.DeleteFunc(texts, func(s string) bool { return !strings.HasPrefix(s, "github:") })
		if len(owners) < 80 || !strings.HasPrefix(owners[0], "github:owner-0/") {
			t.Errorf("the first publishers are %q", owners)
		}
	}
}

func filters(t *testing.T, p *tab) {
	t.Helper()
	p.do(chromedp.Click(chromedp.CSS(`a[href="#coverage=attestable"]`)))
	p.wait(`document.getElementById("count").textContent.startsWith("1,500 of ")`)
	if got := value[string](p, `document.activeElement.id`); got != "sources-heading" {
		t.Errorf("the focus is on %q", got)
	}
	value[chromedp.Void](p, `{ const s = document.getElementById("host"); s.value = "github.com"; s.dispatchEvent(new Event("change")) }`)
	p.wait(`document.getElementById("count").textContent.startsWith("0 of ")`)
	p.visit("host=pypi.org&verdict=mismatch")
	p.wait(`document.getElementById("count").textContent.startsWith("12 of ")`)
	if got := value[string](p, `document.getElementById("verdict").value`); got != "mismatch" {
		t.Errorf("the filter shows %q", got)
	}
	p.visit("note=changed&sort=recipe")
	p.wait(`document.getElementById("count").textContent.startsWith("24 of ")`)
	// Nonsense in the address is no filter, and breaks nothing.
	p.visit("verdict=<b>&note=constructor&page=-5&sort=constructor")
	p.wait(`document.getElementById("count").textContent === "30,012 sources, 1 to 100 shown"`)
	p.visit("host=nowhere")
	p.wait(`document.getElementById("count").textContent.startsWith("0 of ")`)
	p.do(chromedp.Click(chromedp.CSS("#reset")))
	p.wait(`document.getElementById("count").textContent.startsWith("30,012 sources")`)
	p.do(chromedp.Click(chromedp.CSS(`.pages.below [data-go=last]`)))
	p.wait(`document.getElementById("count").textContent === "30,012 sources, 30,001 to 30,012 shown"`)
	p.do(chromedp.Click(chromedp.CSS("#reset")))
	p.do(chromedp.Click(chromedp.CSS(`.pages [data-go=first]`)))
}

func keyboard(t *testing.T, p *tab) {
	t.Helper()
	p.visit("host=pypi.org")
	p.wait(`document.getElementById("count").textContent.startsWith("15,000 of ")`)
	focused := func(want string) {
		t.Helper()
		if got := value[string](p, `document.activeElement.textContent`); got != want {
			t.Errorf("the focus is on %q, want %q", got, want)
		}
	}
	// From the heading, Tab comes to the search field and in the end to the rows.
	p.do(chromedp.Focus(chromedp.CSS("#rows a")))
	p.key(keys.down)
	p.key(keys.down)
	focused("package-00004-4.4.4.tar.gz")
	if got := value[string](p, `getComputedStyle(document.activeElement).outlineStyle`); got != "solid" {
		t.Errorf("the focus is not visible: its outline is %q", got)
	}
	p.key(keys.up)
	focused("package-00002-2.2.2.tar.gz")
	p.key(keys.pageDown)
	focused("package-00200-4.2.5.tar.gz")
	p.key(keys.up)
	focused("package-00198-2.0.3.tar.gz")
	p.key(keys.down)
	focused("package-00200-4.2.5.tar.gz")
	p.key(keys.enter)
	p.wait(`!document.getElementById("source").hidden`)
	focused("package-00200-4.2.5.tar.gz")
	if got := value[string](p, `document.activeElement.tagName`); got != "H1" {
		t.Errorf("the focus is on %s", got)
	}
	p.key(keys.escape)
	p.wait(`document.getElementById("source").hidden`)
	focused("package-00200-4.2.5.tar.gz")
	if got := p.count(); got != "15,000 of 30,012 sources, 101 to 200 shown" {
		t.Errorf("the count says %q", got)
	}
	p.key(keys.home)
	focused("package-00200-4.2.5.tar.gz")
	p.do(chromedp.Click(chromedp.CSS("#reset")))
}

func opensSource(t *testing.T, p *tab) {
	t.Helper()
	value[chromedp.Void](p, `{ const q = document.getElementById("q"); q.value = "package-01200"; q.dispatchEvent(new Event("input")) }`)
	p.wait(`document.getElementById("count").textContent.startsWith("1 of ")`)
	p.do(chromedp.Click(chromedp.CSS("#rows a")))
	p.wait(`!document.getElementById("source").hidden && document.getElementById("report").hidden`)
	p.axe()
	if got := value[float64](p, `scrollY`); got != 0 {
		t.Errorf("the page of a source is scrolled by %v", got)
	}
	if got := value[string](p, `document.title`); got != "package-01200-3.1.4.tar.gz: verified – recipe-verify audit" {
		t.Errorf("the title is %q", got)
	}
	type link struct{ Href, Rel, Text string }
	got := value[[]link](p, `[...document.querySelectorAll("#sheet a")].map(a => ({Href: a.getAttribute("href"), Rel: a.rel, Text: a.textContent}))`)
	x := generated(1200).Bundles[0].Verified.Extensions
	const rel = "noopener noreferrer"
	want := []link{
		{x.SourceRepository, rel, x.SourceRepository},
		{x.SourceRepository + "/commit/" + x.SourceDigest, rel, x.SourceDigest},
		{x.RunInvocationURI, rel, x.RunInvocationURI},
		{"https://search.sigstore.dev/?logIndex=200001200", rel, "entry 200001200 of https://rekor.sigstore.dev, dsse 0.0.1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	text := value[string](p, `document.getElementById("sheet").innerText`)
	for _, part := range []string{"github:owner-0/package-01200", "2025-03-15 16:00:00 UTC", generated(1200).Pinned.SHA256, "recipes/package-01200/recipe.yaml"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not hold %q", part)
		}
	}
	// The address of a source can be kept: it opens in a new tab too.
	address := value[string](p, `location.hash`)
	p.do(chromedp.Click(chromedp.CSS("#back")))
	p.wait(`document.getElementById("source").hidden`)
	p.visit(address)
	p.wait(`!document.getElementById("source").hidden`)
	p.do(chromedp.NavigateBack())
	p.wait(`document.getElementById("source").hidden`)
	p.visit("source=nosuchsource")
	p.wait(`!document.getElementById("unfound").hidden`)
	p.do(chromedp.Click(chromedp.CSS("#reset")))
}

func hostileStaysText(t *testing.T, p *tab) {
	t.Helper()
	p.do(chromedp.Click(chromedp.CSS(`.pages [data-go=last]`)))
	ids := value[[]string](p, `[...document.querySelectorAll("#rows a")].map(a => a.getAttribute("href"))`)
	if len(ids) != len(hostileTexts) {
		t.Fatalf("the last page has %d sources", len(ids))
	}
	for i, id := range ids {
		p.visit(strings.TrimPrefix(id, "#"))
		p.wait(`!document.getElementById("source").hidden && location.hash === ` + fmt.Sprintf("%q", id))
		got := value[string](p, `document.querySelector("#sheet .lede").textContent`)
		if want := visible(hostileTexts[i]); got != want {
			t.Errorf("%q is shown as %q, want %q", hostileTexts[i], got, want)
		}
		if got := value[int](p, `document.querySelectorAll("#sheet a, #sheet img, #sheet script, #sheet [onerror], #sheet [onload]").length`); got != 0 {
			t.Errorf("%q made %d elements", hostileTexts[i], got)
		}
		all := value[string](p, `document.body.innerText`)
		for _, r := range all {
			if r != '\n' && r != '\t' && r != '\u2003' && r != ' ' && visible(string(r)) != string(r) {
				t.Errorf("%q shows %+q", hostileTexts[i], r)
			}
		}
	}
	if got := value[string](p, `document.title`); strings.Contains(got, "owned") && !strings.Contains(got, "document.title") {
		t.Errorf("the title is %q", got)
	}
	if got := value[int](p, `document.querySelectorAll("script:not([type])").length`); got != 1 {
		t.Errorf("the page has %d scripts", got)
	}
	if got := value[int](p, `document.querySelectorAll("img, iframe, object, embed, link, form[action]").length`); got != 0 {
		t.Errorf("the page has %d elements that load something", got)
	}
}

// Without JavaScript, the summary is there, and says what is missing.
func TestChromiumWithoutJavaScript(t *testing.T) {
	chromium(t)
	file := page(t, 200, hostileRecords()...)
	p := newTab(t, "light")
	_, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	if err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.Navigate(file))
	text, err := chromedp.Run(p.ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"need JavaScript", "sources verified", "Needs attention", "pypi.org", `</script><script>document.title='owned'</script>`} {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not show %q", part)
		}
	}
	p.checkQuiet(file)
}

// Small pages: none at all, one row.
func TestChromiumSmallPages(t *testing.T) {
	chromium(t)
	p := newTab(t, "light")
	for n, want := range []string{"0 sources", "1 source, 1 to 1 shown"} {
		file := page(t, n)
		p.do(chromedp.Navigate(file))
		if got := p.count(); got != want {
			t.Errorf("the count says %q, want %q", got, want)
		}
	}
	// Sources that are alike in everything have pages of their own.
	p.do(chromedp.Navigate(page(t, 1, generated(0), generated(0))))
	links := value[[]string](p, `[...document.querySelectorAll("#rows a")].map(a => a.hash)`)
	if slices.Sort(links); len(slices.Compact(links)) != 3 {
		t.Errorf("three sources have the pages %q", links)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if diff := cmp.Diff([]string(nil), p.faults); diff != "" {
		t.Error(diff)
	}
}
