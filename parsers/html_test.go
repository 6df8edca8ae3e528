package parsers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ html, want string }{
		"plain_text_keeps_its_lines": {" one\ntwo ", "one\ntwo"},
		"paragraphs":                 {"<p>One.</p><p>Two\n words.</p>", "One.\n\nTwo words."},
		"breaks":                     {"one<br>two<br/>three", "one\ntwo\nthree"},
		"lists":                      {"See:<ul><li>one</li><li><p>two</p></li></ul>after", "See:\n\n- one\n- two\n\nafter"},
		"numbered":                   {"<ol><li>one<li>two</ol>", "1. one\n2. two"},
		"link":                       {`<a href="https://example.org/a">here</a>.`, "[here](https://example.org/a)."},
		"link_that_is_its_text":      {`<a href="https://example.org">https://example.org</a>`, "https://example.org"},
		"script_links_are_text":      {`<a href="javascript:alert(1)">here</a>`, "here"},
		"emphasis":                   {"the <b>id</b> <i>cookie</i>", "the **id** cookie"},
		"code":                       {"<pre>if a &lt; b {\n  c\n}</pre>end", "```\nif a < b {\n  c\n}\n```\n\nend"},
		"scripts_are_dropped":        {"a<script>alert('x')</script>b<style>p{}</style>", "ab"},
		"unknown_tags_are_quoted":    {"the tag <foo:bar x='1'> was found", "the tag <foo:bar x='1'> was found"},
		"character_references":       {"a &lt;b&gt; &amp; &nbsp;c", "a <b> & c"},
		"table":                      {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a | b | \nc |"},
		"unclosed":                   {"<p>one <b>two", "one **two"},
		"cut_in_a_tag":               {"one <a href='x", "one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, Markdown(c.html)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMarkdown_is_fast_on_anything(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"<b>", "<ul><li>", "<a href='http://x'>", "<pre>", "a ", "<", "&", "<p>"} {
		began := time.Now()
		Markdown(strings.Repeat(unit, (1<<20)/len(unit)))
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("%q repeated to 1 MiB took %s", unit, d)
		}
	}
}
