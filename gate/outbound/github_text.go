package outbound

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html"
	"strings"

	"defectdojo/gate"
	"defectdojo/integrations/github"
	"defectdojo/policies/render"
)

// mostAnnotations bounds those of one check run: with hundreds, a pull request's
// page is of no use (https://github.com/reviewdog/reviewdog/issues/1008).
const mostAnnotations = 200

// annotations are what a verdict says of lines, worst first.
func annotations(v *gate.Verdict) []github.Annotation {
	var out []github.Annotation
	for i := range v.Findings {
		f := &v.Findings[i]
		path := strings.TrimPrefix(strings.TrimPrefix(f.Path, "./"), "/")
		level := ""
		switch f.Code {
		case gate.DispositionCounted:
			level = "failure"
		case gate.DispositionUnknown, gate.DispositionInGrace:
			level = "warning"
		}
		if path == "" || level == "" || strings.ContainsAny(path, "()\x00\n") || strings.Contains(path, "://") {
			continue
		}
		if len(out) == mostAnnotations {
			break
		}
		out = append(out, github.Annotation{Path: path, Line: f.Line, Level: level, Title: fmt.Sprintf("%s: %s", f.Severity, f.Title), Message: remark(f)})
	}
	return out
}

// remark is what is said at a finding's line.
func remark(f *gate.FindingView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s by rule %s of %s (%s).", strings.ReplaceAll(string(f.Code), "_", " "), cmp.Or(f.GateRule, "—"), cmp.Or(f.Policy, "—"), strings.ReplaceAll(string(f.Delta), "_", " "))
	if f.Component != "" {
		fmt.Fprintf(&b, "\n%s %s", f.Component, f.Version)
		if f.FixVersion != "" {
			fmt.Fprintf(&b, ", fixed in %s", f.FixVersion)
		}
	}
	if len(f.Vulnerabilities) > 0 {
		fmt.Fprintf(&b, "\n%s", strings.Join(f.Vulnerabilities, ", "))
	}
	if !f.Due.IsZero() {
		fmt.Fprintf(&b, "\nIt counts from %s on.", f.Due.UTC().Format("2006-01-02 15:04 MST"))
	}
	return b.String()
}

// marker is the beginning of a pull request's comment, by which it is found again.
func marker(v *gate.Verdict) string { return render.Marker(v) }

// plain makes a text of a report harmless in Markdown.
func plain(s string) string {
	return "<pre>" + html.EscapeString(strings.ReplaceAll(s, "@", "@\u200b")) + "</pre>"
}

// report shows what counts in GitHub's code scanning.
func (w *githubWriter) report(ctx context.Context) error {
	v := w.verdict.Document
	timeless := v
	timeless.ID = ""
	sum, err := digest([]any{timeless.Findings, w.at.Ref})
	if err != nil || string(sum) == string(w.at.Digest) {
		return err
	}
	var b bytes.Buffer
	if err := render.SARIF(&b, &v); err != nil {
		return err
	}
	w.at.Digest = sum
	return w.client.UploadSARIF(ctx, w.repo, w.at.Target, w.at.Ref, b.Bytes(), v.DecidedAt)
}
