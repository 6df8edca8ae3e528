package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"emphasis", "**a** and `b`", "<p><strong>a</strong> and <code>b</code></p>\n"},
		{"line_break", "a\nb", "<p>a<br>\nb</p>\n"},
		{"html_is_shown", "<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"},
		{"html_block_is_shown", "<div onclick=x>\n\nb", "<p>&lt;div onclick=x&gt;</p>\n<p>b</p>\n"},
		{"image_is_a_link", "![i](https://e.example/i.png)", `<p><a href="https://e.example/i.png" rel="nofollow noreferrer noopener" target="_blank">image: i</a></p>` + "\n"},
		{"script_link", "[a](javascript:alert(1))", "<p>a</p>\n"},
		{"data_link", "[a](data:text/html,x)", "<p>a</p>\n"},
		{"relative_link", "[a](/tokens)", "<p>a</p>\n"},
		{"plain_url", "see https://e.example/x", `<p>see <a href="https://e.example/x" rel="nofollow noreferrer noopener" target="_blank">https://e.example/x</a></p>` + "\n"},
	}
	for _, tt := range tests {
		if got := string(markdown(tt.in)); got != tt.want {
			t.Errorf("%s: markdown(%q) =\n%s\nwant\n%s", tt.name, tt.in, got, tt.want)
		}
	}
}

// TestMarkdown_hostile: no text takes long.
func TestMarkdown_hostile(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"[", "![", "> ", "*a ", "_", "`", "- ", "[a](", "<", "|a|\n|-|\n", "~~", "**a _b ", "\n", "&", "https://a.b/"} {
		start := time.Now()
		markdown(strings.Repeat(piece, (1<<20)/len(piece)))
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("1 MiB of %q took %v", piece, took)
		}
	}
}

func TestMarkdown_long(t *testing.T) {
	t.Parallel()
	got := string(markdown(strings.Repeat("**ü** <b>\n", 10_000)))
	for _, want := range []string{"<strong>ü</strong>", `<pre class="wrap">**ü** &lt;b&gt;`, "The text goes on"} {
		if !strings.Contains(got, want) {
			t.Errorf("a long text does not hold %q", want)
		}
	}
	if strings.ContainsRune(got, '\uFFFD') {
		t.Error("a character was cut in two")
	}
}

func TestSearchTarget(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "/findings", "#77": "/findings/77", "77": "/findings/77", "CVE-2021-44228": "/findings?status=any&vuln=CVE-2021-44228", "cwe-89": "/findings?cwe=89&status=any",
		"GHSA-jfh8-c2jp-5v3q": "/findings?status=any&vuln=GHSA-jfh8-c2jp-5v3q", "sql & more": "/findings?q=sql+%26+more&status=any", "0": "/findings?q=0&status=any",
	} {
		if got := searchTarget(in); got != want {
			t.Errorf("searchTarget(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNewFilter(t *testing.T) {
	t.Parallel()
	f, tidy := newFilter(url.Values{"q": {" "}, "severity": {"high", "high", "low"}, "evil": {"1"}, "cwe": {""}})
	if tidy || f.Address() != "/findings?severity=high&severity=low" {
		t.Errorf("got %q, tidy %v", f.Address(), tidy)
	}
	if f, tidy := newFilter(url.Values{"q": {"a"}, "after": {"4_1"}}); !tidy || f.With("kev", "1") != "/findings?kev=1&q=a" || f.Without("status") != "/findings?q=a&status=any" {
		t.Errorf("got %v, tidy %v", f, tidy)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	today := gate.DateOf(now)
	tests := []struct{ name, got, want string }{
		{"num", num(1234567), "1,234,567"},
		{"num_small", num(12), "12"},
		{"num_negative", num(-1234), "−1,234"},
		{"plural", plural(1, "finding", "findings"), "1 finding"},
		{"minutes", at(now.Add(-5*time.Minute), now).Relative, "5 min ago"},
		{"hours", at(now.Add(-30*time.Hour), now).Relative, "30 h ago"},
		{"ahead", at(now.Add(72*time.Hour), now).Relative, "in 3 d"},
		{"never", at((*time.Time)(nil), now).Relative, "–"},
		{"late", due(now.AddDate(0, 0, -3), today).Text, "−3 d"},
		{"no_day", day(time.Time{}), "–"},
		{"hash", short("9c1e2f4b8a6d"), "9c1e2f4"},
		{"no_hash", short("release/2.4"), "release/2.4"},
		{"script", httpURL("javascript:alert(1)"), ""},
		{"data", httpURL("data:text/html,x"), ""},
		{"tabs", httpURL("java\nscript:alert(1)"), ""},
		{"credentials", httpURL("https://a:b@e.example"), ""},
		{"web", httpURL(" https://e.example/a?b=c "), "https://e.example/a?b=c"},
		{"compact", compact(12345) + compact(1000) + compact(0), "12k1k"},
		{"vector", explainVector("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H"), "over the network, high complexity, no privileges, user must act"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
