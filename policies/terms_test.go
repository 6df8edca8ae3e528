package policies

import (
	"testing"
	"time"

	"defectdojo/gate"
)

func TestTermsOf(t *testing.T) {
	t.Parallel()
	a := mustParse(t, "rules: [{id: r}]\nwaivers: {max_ttl: {critical: 14d, default: 90d}, approvals: {critical: 2}, evidence: [critical]}")
	b := mustParse(t, "rules: [{id: r}]\nwaivers: {max_ttl: {high: 30d}, approvals: {default: 1}}")
	day := 24 * time.Hour
	for name, tt := range map[string]struct {
		ps   []*Policy
		sev  []gate.Severity
		want Terms
	}{
		"none":               {nil, []gate.Severity{gate.Critical}, Terms{Approvals: 1}},
		"default":            {[]*Policy{a, b}, nil, Terms{1, 90 * day, false}},
		"critical":           {[]*Policy{a, b}, []gate.Severity{gate.Critical}, Terms{2, 14 * day, true}},
		"high":               {[]*Policy{a, b}, []gate.Severity{gate.High}, Terms{1, 30 * day, false}},
		"strictest_of_all":   {[]*Policy{a, b}, []gate.Severity{gate.Low, gate.Critical}, Terms{2, 14 * day, true}},
		"without_any_limits": {[]*Policy{b}, []gate.Severity{gate.Low}, Terms{Approvals: 1}},
	} {
		if got := TermsOf(tt.ps, tt.sev); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
