package web

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"defectdojo/integrations/github/githubtest"
	"defectdojo/integrations/gitlab/gitlabtest"
)

// TestBrowser_connects goes the way of somebody who connects a code host for the
// first time: what to do there is said before and after saving, what is wrong is
// said at its field, and each step says how it went.
func TestBrowser_connects(t *testing.T) {
	t.Parallel()
	hub, lab := githubtest.New(t), gitlabtest.New(t)
	s := shop(t)
	b := s.open(t)
	b.look(1400, "light")
	b.login()
	for _, c := range []struct {
		kind, title, url, repository string
		secrets                      map[string]string
	}{
		{"github", "GitHub", hub.URL, "acme/shop", map[string]string{"app_id": fmt.Sprint(githubtest.AppID), "private_key": githubtest.PrivateKey()}},
		{"gitlab", "GitLab", lab.URL, "group/shop", map[string]string{"token": gitlabtest.Token, "group": "group"}},
	} {
		b.do(chromedp.Navigate(b.base + "/integrations"))
		b.waitFor(`document.querySelector("h1").textContent === "Integrations"`)
		b.snap("list-" + c.kind)
		b.do(chromedp.Click(chromedp.CSS(`a.button[href$="kind=` + c.kind + `"]`)))
		b.waitFor(`document.querySelector("h1").textContent === "New connection to ` + c.title + `" && document.querySelector("details[open] ol").children.length > 3`)
		b.snap("new-" + c.kind)

		// Without credentials: it is said at the field, and what was typed stays.
		b.do(chromedp.SendKeys(chromedp.CSS(`input[name=name]`), "our "+c.title), chromedp.SendKeys(chromedp.CSS(`input[name=url]`), c.url+kb.Enter))
		b.waitFor(`document.querySelector("label .bad")?.closest("label").querySelector("[name=token]") && document.querySelector("[name=name]").value === "our ` + c.title + `"`)
		b.snap("wrong-" + c.kind)
		b.mu.Lock() // that it was wrong is no complaint
		b.problems = slices.DeleteFunc(b.problems, func(p string) bool { return strings.Contains(p, "status of 400") })
		b.mu.Unlock()
		for name, value := range c.secrets {
			b.do(chromedp.SetValue(chromedp.CSS(`[name=`+name+`]`), value))
		}
		b.do(chromedp.Click(chromedp.CSS(`form.tokenform button.primary`)))
		b.waitFor(`document.querySelector(".made code").textContent.length >= 40 && document.querySelector("details[open] ol") && document.body.textContent.includes("/hooks/` + c.kind + `/")`)
		b.snap("saved-" + c.kind)

		b.do(chromedp.Click(chromedp.CSS(`form[action$="/test"] button`)))
		b.waitFor(`document.querySelector(".made").textContent.includes("knows us as")`)
		b.do(chromedp.Click(chromedp.CSS(`form[action$="/sync"] button`)))
		b.waitFor(`document.querySelector(".made").textContent.includes("1 repositor") && document.body.textContent.includes("` + c.repository + `")`)
		b.snap("synced-" + c.kind)

		b.do(chromedp.SetValue(chromedp.CSS(`td select[name=product]`), "1"), chromedp.Click(chromedp.CSS(`td form[action$="/repositories"] button`)))
		b.waitFor(`document.querySelector(".flash")?.textContent.includes("` + c.repository + ` is saved.") && document.querySelector("td select[name=product]").value === "1"`)
		b.do(chromedp.Click(chromedp.CSS(`details:has([name=component]) > summary`)))
		b.waitFor(`document.querySelector("details[open] [name=component]")`)
		b.snap("mapped-" + c.kind)

		if _, err := s.db.Exec(t.Context(), `insert into webhook_deliveries (connection_id, delivery_id, event, body, state, outcome)
			select id, 'd1', 'push', '{}', 'failed', 'it did not answer' from connections where kind = $1`, c.kind); err != nil {
			t.Fatal(err)
		}
		b.do(chromedp.Reload())
		b.waitFor(`document.body.textContent.includes("it did not answer") && !document.querySelector("details[open] ol")`)
		b.do(chromedp.Click(chromedp.CSS(`form[action$="/redeliver"] button`)))
		b.waitFor(`document.querySelector(".flash")?.textContent.includes("The delivery is worked again.") && document.body.textContent.includes("queued")`)
		b.snap("redelivered-" + c.kind)
		b.quiet(c.kind)
	}
}

// snap keeps what the browser shows in the folder DD_TEST_SNAPS, if one is named.
func (b *chromium) snap(name string) {
	b.t.Helper()
	dir := os.Getenv("DD_TEST_SNAPS")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", image, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
