package web

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"defectdojo/integrations/jira/jiratest"
)

// looked is what every page must be at every step: as wide as the window,
// readable, with a name for all that can be used, and not complained of.
// DD_TEST_SCREENSHOTS names a folder for pictures of it.
func (b *chromium) looked(name string) {
	b.t.Helper()
	for _, look := range []struct {
		width  int64
		scheme string
	}{{390, "light"}, {1280, "dark"}, {1280, "light"}} {
		b.look(look.width, look.scheme)
		if got := run[int64](b, `document.documentElement.scrollWidth`); got > look.width {
			b.t.Errorf("%s is %d wide on a screen of %d", name, got, look.width)
		}
		for _, text := range run[[]string](b, pale) {
			b.t.Errorf("%s in the %s scheme is too pale: %s", name, look.scheme, text)
		}
		for _, html := range run[[]string](b, unnamed) {
			b.t.Errorf("%s has no name for %s", name, html)
		}
		b.picture(strings.ReplaceAll(name, " ", "-") + "-" + look.scheme + map[bool]string{true: "-phone"}[look.width < 500])
	}
	b.forgive("status of 400") // the browser says so of each form that comes back
	b.quiet(name)
}

// forgive forgets complaints that hold a text.
func (b *chromium) forgive(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = slices.DeleteFunc(b.problems, func(p string) bool { return strings.Contains(p, text) })
}

func (b *chromium) picture(name string) {
	dir := os.Getenv("DD_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// fill types into the fields of a form, by their names.
func (b *chromium) fill(pairs ...string) {
	b.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		field := `main [name="` + pairs[i] + `"]`
		run[string](b, `document.querySelector('`+field+`').value = ""`)
		b.do(chromedp.SendKeys(chromedp.CSS(field), pairs[i+1]))
	}
}

// press goes to a button with the Tab key alone, as somebody without a mouse
// does, and presses it.
func (b *chromium) press(text string) {
	b.t.Helper()
	b.waitFor(`document.readyState === "complete"`)
	for range 120 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if run[bool](b, `document.activeElement?.matches("main button, main a, main summary") && document.activeElement.textContent.trim() === "`+text+`"`) {
			if !run[bool](b, `(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none" })()`) {
				b.t.Errorf("%s: the focus cannot be seen on %q", run[string](b, `location.pathname`), text)
			}
			b.do(chromedp.KeyEvent(kb.Enter))
			return
		}
	}
	b.t.Fatalf("the keyboard does not reach %q on %s", text, run[string](b, `location.pathname`))
}

// TestBrowser_jira connects a JIRA and a product with it by its pages, tests
// both, looks at the plan, and pushes findings: by the plan, by hand, in bulk.
func TestBrowser_jira(t *testing.T) {
	t.Parallel()
	j := jiratest.New(t)
	b := shop(t).open(t)
	b.login()
	b.do(chromedp.Navigate(b.base + "/integrations/jira"))
	b.looked("jira")
	b.press("Add a JIRA")
	b.waitFor(`document.querySelector("h1").textContent === "New JIRA"`)
	b.looked("jira new")
	b.fill("configuration_name", "second", "url", "ftp://nowhere", "username", j.Username, "password", j.Secret)
	b.press("Save")
	b.waitFor(`document.querySelector("[role=alert]")?.textContent.includes("https://") && document.querySelector("[name=url]").value === "ftp://nowhere"`)
	b.looked("jira mistake")
	b.fill("url", j.URL, "password", j.Secret)
	b.press("Save")
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("Saved.") && document.querySelector("h1").textContent === "second"`)
	b.press("Test it")
	b.waitFor(`document.querySelector("[role=status]")?.textContent.includes("It answers: JIRA Cloud")`)
	b.looked("jira tested")
	b.press("Make a new secret and show it")
	b.waitFor(`document.querySelector("[role=status] code")?.textContent.length === 64`)
	b.looked("jira secret")
	b.press("JIRA still calls DefectDojo's old address")
	b.fill("secret", "short")
	b.press("Open it")
	b.waitFor(`document.querySelector("details[open] [role=alert]")?.textContent.includes("16 to 200")`)
	b.looked("jira old address")
	b.fill("secret", "https://dojo.example.org/jira/webhook/0d8f2c4e-1111-4a5b")
	b.press("Open it")
	b.waitFor(`document.querySelector("details[open]")?.textContent.includes("is open with the secret")`)

	b.looked("jira old address open")

	b.do(chromedp.Navigate(b.base + "/integrations/jira/projects/new?product=1"))
	b.looked("project new")
	b.fill("project_key", "PAY", "custom_fields", "{")
	run[string](b, `document.querySelector("[name=jira_instance]").value = [...document.querySelectorAll("[name=jira_instance] option")].find((o) => o.textContent === "second").value`)
	b.press("Save")
	b.waitFor(`document.querySelector("[role=alert]")?.textContent.includes("JSON object")`)
	b.looked("project mistake")
	run[string](b, `document.querySelector("[name=custom_fields]").value = ""`)
	b.press("Save")
	b.waitFor(`document.querySelector("h1").textContent === "JIRA project PAY"`)
	b.press("Test it")
	b.waitFor(`document.querySelector("[role=status]")?.textContent.includes("JIRA takes issues")`)
	b.looked("project tested")
	b.press("Plan")
	b.waitFor(`document.querySelector("h1").textContent.startsWith("Plan of")`)
	b.looked("plan")
	b.press("What a push of all would do")
	b.waitFor(`document.body.textContent.includes("Bug in PAY")`)
	b.looked("plan of all")
	b.press("Push all of this")
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("handed to JIRA's worker")`)
	b.looked("plan pushed")

	b.look(1280, "light")
	b.do(chromedp.Navigate(b.base + "/findings/1"))
	b.press("Push to JIRA")
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("1 finding handed to JIRA's worker")`)
	b.looked("finding pushed")
	b.do(chromedp.Navigate(b.base+"/findings?severity=critical"), chromedp.Click(chromedp.CSS(`[data-all]`)))
	b.waitFor(`document.querySelector("[data-selected]").textContent.includes("selected")`)
	b.press("Push to JIRA…")
	b.waitFor(`document.querySelector("h1").textContent.startsWith("Make or update JIRA issues of")`)
	b.looked("bulk push")
	b.do(chromedp.Click(chromedp.CSS(`.act button.primary`)))
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("handed to JIRA's worker")`)
	b.do(chromedp.Navigate(b.base + "/notifications?for=system"))
	b.looked("notifications of the system")
	b.do(chromedp.Navigate(b.base + "/notifications"))
	b.fill("slack", "me")
	b.do(chromedp.Focus(chromedp.CSS("[name=slack]")))
	b.keys(kb.Enter)
	b.waitFor(`document.querySelector("[role=alert]")?.textContent.includes("U012AB3CD") && document.querySelector("[name=slack]").value === "ME"`)
	b.looked("my notifications")
	b.fill("slack", "u012ab3cd")
	b.keys(kb.Enter)
	b.waitFor(`document.querySelector(".flash")?.textContent.includes("Saved.") && document.querySelector("[name=slack]").value === "U012AB3CD"`)
}
