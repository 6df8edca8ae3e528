package policies

import (
	"time"

	"defectdojo/gate"
)

// Terms are what a waiver must meet to cover findings of some severities.
type Terms struct {
	Approvals int           // by others than the requester
	MaxTTL    time.Duration // 0: no limit
	Evidence  bool          // a VEX document must support it
}

// TermsOf returns the strictest terms that any of the policies has for any of
// the severities. Without severities they are those of the policies' defaults.
func TermsOf(ps []*Policy, severities []gate.Severity) Terms {
	out := Terms{Approvals: 1}
	words := []string{"default"}
	if len(severities) > 0 {
		words = nil
		for _, s := range severities {
			words = append(words, severityWord(s))
		}
	}
	for _, p := range ps {
		t := &p.Spec.Waivers
		for _, word := range words {
			out.Approvals = max(out.Approvals, bySeverity(t.Approvals, word, 1))
			if ttl := time.Duration(bySeverity(t.MaxTTL, word, 0)); ttl > 0 && (out.MaxTTL == 0 || ttl < out.MaxTTL) {
				out.MaxTTL = ttl
			}
			for _, e := range t.Evidence {
				out.Evidence = out.Evidence || e == word
			}
		}
	}
	return out
}

// Applies tells whether a policy's scope fits a product, whatever is built of it.
func (p *Policy) Applies(product *Product) bool { return p.Spec.Scope.Products.has(product) }
