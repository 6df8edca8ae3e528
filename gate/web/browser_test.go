package web

import (
	"context"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"defectdojo/gate/gatetest"
)

// chromium is a real browser on a real site.
type chromium struct {
	ctx  context.Context //nolint:containedctx // chromedp keeps its browser there
	t    *testing.T
	base string

	mu       sync.Mutex
	problems []string // what the browser complained of
}

// open serves s and starts a browser on it. Without a browser the test is
// skipped: DD_TEST_CHROMIUM names one that is elsewhere.
func (s *site) open(t *testing.T) *chromium {
	t.Helper()
	program := findChromium()
	if program == "" {
		t.Skip("NO BROWSER TEST: there is no Chromium here; apt-get install chromium, or name one in DD_TEST_CHROMIUM")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.app.Listener(l)
	t.Cleanup(func() { _ = s.app.ShutdownWithTimeout(5 * time.Second) })

	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &chromium{ctx: ctx, t: t, base: "http://" + l.Addr().String()}
	b.do(chromedp.Navigate("about:blank"))
	// keys reach a page only while it has the focus, which a busy desk may take away
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	b.watch()
	return b
}

func findChromium() string {
	for _, name := range []string{os.Getenv("DD_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless_shell"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// watch collects what the browser complains of: dialogs, errors in the console,
// what the policy of the page forbids.
func (b *chromium) watch() {
	const hook = `for (const name of ["alert", "confirm", "prompt"]) window[name] = (text) => console.error("DIALOG " + name + " " + text);
		document.addEventListener("securitypolicyviolation", (e) => console.error("POLICY " + e.violatedDirective + " " + e.blockedURI + " " + e.sample));
		window.addEventListener("error", (e) => window.__problems.push("ERROR " + e.message));
		window.__problems = []; const old = console.error; console.error = (...a) => { window.__problems.push(a.join(" ")); old(...a); };`
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: hook}); err != nil {
		b.t.Fatal(err)
	}
	entries := chromedp.Events(b.ctx, log.EntryAdded)
	go func() {
		for e, err := range entries {
			if err != nil {
				return
			}
			if e.Entry.Level == log.EntryLevelError {
				b.complain(e.Entry.Text + " " + e.Entry.URL)
			}
		}
	}()
}

func (b *chromium) complain(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, text)
}

// quiet fails if there was a complaint since it was asked last.
func (b *chromium) quiet(where string) {
	b.t.Helper()
	for _, p := range run[[]string](b, `window.__problems.splice(0)`) {
		b.complain(p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Errorf("%s: %s", where, p)
	}
	b.problems = nil
}

func (b *chromium) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// run evaluates a script in the page.
func run[T any](b *chromium, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// waitFor waits until a script is true.
func (b *chromium) waitFor(script string) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		// while a page is being swapped or loaded, what is asked for may not be there
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(() => { try { return !!(`+script+`) } catch { return false } })()`)); ok && err == nil {
			return
		}
		if err := chromedp.Do(b.ctx, chromedp.Sleep(25*time.Millisecond)); err != nil {
			b.t.Fatal(err)
		}
	}
	b.t.Fatalf("in a minute this did not come true: %s\n%s", script,
		run[string](b, `location.href + " focus " + document.hasFocus() + " on " + document.activeElement?.outerHTML.slice(0, 200) + "\n" + window.__problems.join("\n") + "\n" + document.body.innerText.slice(0, 2000)`))
}

func (b *chromium) login() {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base+"/login"), chromedp.SendKeys(chromedp.CSS("input[name=username]"), "ada"),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), password+kb.Enter))
	b.waitFor(`document.querySelector("h1")?.textContent === "Overview"`)
}

// look sets the size and the colour scheme of the browser.
func (b *chromium) look(width int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 800))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestBrowser goes the way of somebody who works with it.
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := shop(t).open(t)
	b.login()
	b.quiet("overview")

	b.do(chromedp.Click(chromedp.CSS(`#nav a[href="/findings"]`)))
	b.waitFor(`location.pathname === "/findings" && document.querySelectorAll("#list tbody tr").length === 14`)
	b.waitFor(`document.title.startsWith("Findings") && document.querySelector("#nav a[aria-current]").textContent === "Findings"`)

	b.do(chromedp.Click(chromedp.CSS(`.sevs a.critical`)))
	b.waitFor(`location.search === "?severity=critical" && document.querySelectorAll("#list tbody tr").length === 3`)
	b.do(chromedp.NavigateBack())
	b.waitFor(`location.search === "" && document.querySelectorAll("#list tbody tr").length === 14`)

	b.do(chromedp.Click(chromedp.CSS(`details.more > summary`)), chromedp.SendKeys(chromedp.CSS(`.filterform [name=component]`), "log4j*"+kb.Enter))
	b.waitFor(`decodeURIComponent(location.search) === "?component=log4j*" && document.querySelectorAll("#list tbody tr").length === 2`)

	b.keys("j", "j", "k", "x")
	b.waitFor(`document.querySelector("tr.current input[name=id]").checked && document.querySelector("[data-selected]").textContent === "1 selected:"`)
	b.keys(kb.Enter)
	b.waitFor(`location.pathname === "/findings/1" && document.querySelector("h1").textContent === "Remote code execution in log4j-core"`)

	b.keys("g", "v")
	b.waitFor(`location.pathname === "/verdicts" && document.querySelectorAll("main table tbody tr").length === 4`)
	b.do(chromedp.Click(chromedp.CSS(`main a[href="/verdicts/1"]`)))
	b.waitFor(`document.querySelector(".verdict.fail h1")?.textContent.includes("Failed")`)
	b.keys("?")
	b.waitFor(`document.querySelector("dialog[open] kbd")`)
	b.keys(kb.Escape)
	b.keys("/")
	b.waitFor(`document.activeElement.name === "q"`)
	b.do(chromedp.SetValue(chromedp.CSS(`.search input`), "CVE-2023-4863"), chromedp.SendKeys(chromedp.CSS(`.search input`), kb.Enter))
	b.waitFor(`location.search === "?status=any&vuln=CVE-2023-4863" && document.querySelectorAll("#list tbody tr").length === 1`)
	b.quiet("the way through")
}

// keys presses keys, once the page's scripts have run: what is seen may be there before.
func (b *chromium) keys(keys ...string) {
	b.t.Helper()
	b.waitFor(`document.readyState === "complete"`)
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
}

// TestBrowser_acts closes findings from the list and beside it, and undoes it.
func TestBrowser_acts(t *testing.T) {
	t.Parallel()
	b := shop(t).open(t)
	b.look(1400, "light")
	b.login()
	b.do(chromedp.Navigate(b.base + "/findings?severity=critical"))
	b.keys("j", " ")
	b.waitFor(`document.querySelector("#peek h1")?.textContent === "Heap overflow in libwebp"`)
	b.keys("j")
	b.waitFor(`document.querySelector("#peek h1")?.textContent === "SQL query built from request input"`)
	b.do(chromedp.Click(chromedp.CSS(`#peek button[value=close]`)))
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("1 finding closed.") && location.search === "?severity=critical" && document.querySelectorAll("#list tbody tr").length === 2`)
	b.keys("u")
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("1 finding is as before.") && document.querySelectorAll("#list tbody tr").length === 3`)

	b.do(chromedp.Click(chromedp.CSS(`[data-all]`)))
	b.waitFor(`document.querySelector("[data-selected]").textContent === "3 selected:"`)
	b.keys("f")
	b.waitFor(`document.querySelector("h1").textContent === "Dismiss as false positive 3 findings?"`)
	b.do(chromedp.SendKeys(chromedp.CSS(`textarea[name=note]`), "a test system"), chromedp.Click(chromedp.CSS(`.act button.primary`)))
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("3 findings dismissed as false positive.") && document.querySelector("#list .empty")`)
	b.do(chromedp.Click(chromedp.CSS(`.flash button`)))
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("3 findings are as before.") && document.querySelectorAll("#list tbody tr").length === 3`)
	b.quiet("acting")
}

// TestBrowser_empty: the first overview fills by itself when a report arrives.
func TestBrowser_empty(t *testing.T) {
	t.Parallel()
	s := newSite(t, gatetest.DB(t))
	if _, err := s.db.Exec(t.Context(), `insert into users (username, password_hash, is_superuser) values ('ada', $1, true)`, cheap.Hash(password)); err != nil {
		t.Fatal(err)
	}
	b := s.open(t)
	b.login()
	b.waitFor(`document.querySelector(".first .command button")`)
	if _, err := s.db.Exec(t.Context(), `insert into test_imports (scan_type) values ('Trivy Scan')`); err != nil {
		t.Fatal(err)
	}
	b.waitFor(`document.querySelector("h2")?.textContent === "Open by severity"`)
	b.quiet("the first overview")
}

// TestBrowser_layout looks at every page on a phone and a desk, light and dark:
// nothing is wider than the window, too pale to read, without a name, or
// complained of.
func TestBrowser_layout(t *testing.T) {
	t.Parallel()
	b := shop(t).open(t)
	b.login()
	for _, look := range []struct {
		width  int64
		scheme string
	}{{390, "light"}, {1280, "dark"}} {
		b.look(look.width, look.scheme)
		for _, address := range good() {
			b.do(chromedp.Navigate(b.base + address))
			if got := run[int64](b, `document.documentElement.scrollWidth`); got > look.width {
				t.Errorf("GET %s is %d wide on a screen of %d", address, got, look.width)
			}
			dark := run[string](b, `getComputedStyle(document.body).backgroundColor`) == "rgb(15, 18, 22)"
			if dark != (look.scheme == "dark") {
				t.Errorf("GET %s: dark is %v in the %s scheme", address, dark, look.scheme)
			}
			for _, text := range run[[]string](b, pale) {
				t.Errorf("GET %s in the %s scheme is too pale: %s", address, look.scheme, text)
			}
			for _, html := range run[[]string](b, unnamed) {
				t.Errorf("GET %s has no name for %s", address, html)
			}
			b.quiet(address)
		}
	}
}

// pale lists texts whose contrast to what is behind them is below WCAG's AA:
// 4.5, or 3 for large ones.
const pale = `(() => {
	const rgb = (text) => text.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.5) return c; } return [255, 255, 255]; };
	const out = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility({ visibilityProperty: true }) || e.closest("svg, option, .hidden, [disabled]")) continue;
		const style = getComputedStyle(e), [a, b] = [light(rgb(style.color)), light(behind(e))].sort((x, y) => y - x), size = parseFloat(style.fontSize);
		if ((a + 0.05) / (b + 0.05) < (size >= 24 || size >= 18.6 && style.fontWeight >= 700 ? 3 : 4.5)) out.add(e.tagName + "." + e.className + " " + ((a + 0.05) / (b + 0.05)).toFixed(2) + " " + e.textContent.trim().slice(0, 30));
	}
	return [...out].slice(0, 10);
})()`

// unnamed lists fields, buttons and links without a name that can be read out.
const unnamed = `[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href], summary, svg[role=img]")].filter((e) => e.checkVisibility()
	&& !(e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim() || e.querySelector("title"))).map((e) => e.outerHTML.slice(0, 120))`

// good are the addresses that answer with 200.
func good() []string {
	var out []string
	for _, a := range addresses {
		if a.code == 200 {
			out = append(out, a.address)
		}
	}
	return out
}

// TestBrowser_hostile: whatever a text holds, no page runs it, loads it, or
// even asks the browser to.
func TestBrowser_hostile(t *testing.T) {
	t.Parallel()
	s := shop(t)
	sql, err := os.ReadFile("testdata/hostile.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(t.Context(), string(sql)); err != nil {
		t.Fatal(err)
	}
	b := s.open(t)
	b.login()
	seen := 0
	for _, address := range append(good(), "/findings/3", "/findings/4", "/findings/5", "/findings/6", "/findings/8", "/findings/9", "/findings/10", "/findings/11", "/products/2", "/products/4") {
		b.do(chromedp.Navigate(b.base + address))
		seen += strings.Count(run[string](b, `document.body.innerText`), "alert(1)")
		if got := run[[]string](b, `[...document.querySelectorAll("[href], [src], [action], [formaction]")].flatMap((e) => ["href", "src", "action", "formaction"].map((n) => e.getAttribute(n)))
			.filter((u) => u && !/^(\/(?!\/)|https?:\/\/|#)/.test(u))`); len(got) > 0 {
			t.Errorf("GET %s has the links %q", address, got)
		}
		if n := run[int](b, `document.querySelectorAll("main script, main style, main iframe, main img, main link, main base, main meta, main [onerror], main [onload], main [onfocus], main [srcdoc]").length`); n > 0 {
			t.Errorf("GET %s has %d elements of a text's own", address, n)
		}
		b.quiet(address)
	}
	if seen < 500 {
		t.Errorf("the pages show %d of the hostile texts: are they still in them?", seen)
	}
}
