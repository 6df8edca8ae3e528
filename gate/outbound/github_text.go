package outbound

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html"
	"strings"

	"defectdojo/gate"
	"defectdojo/integrations"
	"defectdojo/integrations/github"
	"defectdojo/policies"
	"defectdojo/policies/render"
)

// mostAnnotations bounds those of one check run: with hundreds, a pull request's
// page is of no use (https://github.com/reviewdog/reviewdog/issues/1008).
const mostAnnotations = 200

// place leaves those annotations that the pull request shows, at lines that it
// shows, and says how many are left out: they stand in the summary alone. It
// costs a request for each hundred files that the pull request changes.
func (w *githubWriter) place(ctx context.Context, s *said) error {
	all := len(s.Annotations)
	if subject := w.verdict.Document.Subject; all > 0 && subject.PullRequest != 0 && subject.Event != string(policies.MergeGroup) {
		d, err := w.client.Diff(ctx, w.repo, subject.PullRequest)
		if err != nil && !integrations.IsPermanent(err) { // who may not read it is told of all lines
			return err
		}
		if err == nil {
			s.Annotations = within(d, s.Annotations)
		}
	}
	if n := all - len(s.Annotations); n > 0 {
		s.Summary += fmt.Sprintf("\n\n%d of the findings are at lines that this pull request does not show: they have no annotation.\n", n)
	}
	if n := len(s.Annotations) - mostAnnotations; n > 0 {
		s.Annotations = s.Annotations[:mostAnnotations]
		s.Summary += fmt.Sprintf("\n\n%d findings more have no annotation: the %d worst have.\n", n, mostAnnotations)
	}
	return nil
}

// within returns the annotations that a pull request shows. Of files that are
// too many to be known, nobody can tell: those come last.
func within(d github.Diff, all []github.Annotation) []github.Annotation {
	var in, perhaps []github.Annotation
	for _, a := range all {
		line, ok := d.Place(a.Path, a.Line)
		if _, known := d.Files[a.Path]; ok {
			a.Line = line
			in = append(in, a)
		} else if !known && !d.Whole {
			perhaps = append(perhaps, a)
		}
	}
	return append(in, perhaps...)
}

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
