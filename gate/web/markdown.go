package web

import (
	"bytes"
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// How much of a text is laid out, and how much is shown at all: scanners put
// whole files into a description, and hostile Markdown takes a time that grows
// with the square of its length.
const (
	maxMarkdown = 16 << 10
	maxText     = 64 << 10
)

// markdown lays out a text that somebody else wrote. It is the only place that
// makes HTML of foreign text. Raw HTML in it is shown, not obeyed; an image is a
// link to it, for loading it would tell a stranger who reads this and when.
func markdown(s string) template.HTML {
	head, tail := cutText(s, maxMarkdown)
	var b bytes.Buffer
	if err := converter.Convert([]byte(head), &b); err != nil {
		b.Reset()
		tail = s
	}
	out := sanitizer.Sanitize(b.String())
	if tail, rest := cutText(tail, maxText); tail != "" {
		out += `<pre class="wrap">` + template.HTMLEscapeString(tail) + "</pre>"
		if rest != "" {
			out += `<p class="soft">The text goes on; the API has all of it.</p>`
		}
	}
	return template.HTML(out) //nolint:gosec // sanitized or escaped
}

// cutText cuts a text that is longer than n bytes, at the end of a line or else
// of a character.
func cutText(s string, n int) (head, tail string) {
	if len(s) <= n {
		return s, ""
	}
	if i := strings.LastIndexByte(s[:n], '\n'); i > n/2 {
		return s[:i], s[i+1:]
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], s[n:]
}

// converter knows Markdown without its two ways of raw HTML. A line break is one.
var converter = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)),
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	goldmark.WithRendererOptions(html.WithHardWraps(), renderer.WithNodeRenderers(util.Prioritized(imageLinks{}, 1))),
)

// imageLinks renders an image as a link.
type imageLinks struct{}

// RegisterFuncs tells goldmark what it renders.
func (imageLinks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindImage, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			_, err := w.WriteString("</a>")
			return ast.WalkContinue, err
		}
		target := util.EscapeHTML(util.URLEscape(n.(*ast.Image).Destination, true))
		_, err := w.WriteString(`<a href="` + string(target) + `">image: `)
		return ast.WalkContinue, err
	})
}

// sanitizer is the second wall: only what Markdown makes, and links to web pages.
var sanitizer = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em", "strong", "del",
		"ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
}()
