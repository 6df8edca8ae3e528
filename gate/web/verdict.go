package web

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// verdictPage is what verdict.html shows.
type verdictPage struct {
	layout
	store.VerdictPage
	Digest string // of the inputs
}

// verdict serves GET /verdicts/:id.
func (w *web) verdict(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	p := verdictPage{layout: w.layout(v, "verdicts", "Verdict")}
	if p.VerdictPage, err = w.Store.VerdictPage(v.UserContext(), v.scope, id); err != nil {
		return err
	}
	p.Title = decisionWords[p.Overall] + ": " + p.Product
	p.Digest = "sha256:" + hex.EncodeToString(p.InputsDigest)
	return render(v.Ctx, "verdict.html", p)
}

// verdictJSON serves GET /verdicts/:id/verdict.json: all that was decided, and why.
func (w *web) verdictJSON(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	p, err := w.Store.VerdictPage(v.UserContext(), v.scope, id)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(p.Document, "", "  ")
	if err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	v.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="verdict-%d.json"`, id))
	return v.Send(b)
}

var decisionWords = map[gate.Decision]string{gate.Pass: "Passed", gate.Warn: "Passed with warnings", gate.Fail: "Failed"}

// Headline is the verdict in a word or two.
func (p verdictPage) Headline() string {
	switch {
	case p.Overall == gate.Fail && !p.Conclusive:
		return "Could not decide"
	case p.Overall == gate.Pass && p.Document.WouldBe == gate.Fail:
		return "Passed, only recorded"
	}
	return decisionWords[p.Overall]
}

// reason is a sentence of why, and the rule that it is about.
type reason struct{ Rule, Text string }

// Reasons are the sentences, with the names of rules by themselves.
func (p verdictPage) Reasons() []reason {
	rules := map[string]bool{}
	for _, policy := range p.Document.Policies {
		for _, r := range policy.Rules {
			rules[r.ID] = true
		}
	}
	reasons := make([]reason, len(p.Document.Why))
	for i, why := range p.Document.Why {
		reasons[i] = reason{Text: why}
		if rule, text, ok := strings.Cut(why, ": "); ok && rules[rule] {
			reasons[i] = reason{rule, text}
		}
	}
	return reasons
}

// Plain is why a rule came out as it did, without its name.
func (p verdictPage) Plain(r gate.RuleVerdict) string { return strings.TrimPrefix(r.Why, r.ID+": ") }

// Stale tells whether time has run out for the verdict.
func (p verdictPage) Stale() bool { return p.ValidUntil != nil && p.ValidUntil.Before(p.Now) }

// dispositionWords are what a disposition means.
var dispositionWords = map[gate.DispositionCode]string{
	gate.DispositionCounted: "counted", gate.DispositionUnknown: "unknown", gate.DispositionInGrace: "in grace", gate.DispositionWaived: "waived",
	gate.DispositionExprFalse: "condition is false", gate.DispositionNotSelected: "not selected", gate.DispositionStatus: "status", gate.DispositionDuplicate: "duplicate",
}

// Word says what a disposition means.
func (p verdictPage) Word(code gate.DispositionCode) string {
	return cmp.Or(dispositionWords[code], string(code))
}

// Disposed is how many findings went which way.
func (p verdictPage) Disposed() []gate.Excluded {
	counts := map[gate.DispositionCode]int{}
	for _, d := range p.Document.Dispositions {
		counts[d.Code] += len(d.Findings)
	}
	var out []gate.Excluded
	for _, code := range gate.Dispositions {
		if counts[code] > 0 {
			out = append(out, gate.Excluded{Code: code, Detail: dispositionWords[code], Count: counts[code]})
		}
	}
	return out
}

// Done says what was done with a finding: "counted", "in grace until 25 Nov 2026".
func (p verdictPage) Done(f gate.FindingView) string {
	text := dispositionWords[f.Code]
	switch {
	case f.Code == gate.DispositionInGrace && !f.Due.IsZero():
		return text + " until " + day(f.Due)
	case f.Code == gate.DispositionWaived:
		return text + " by " + f.Waiver
	case f.Detail != "":
		return text + ": " + f.Detail
	}
	return text
}
