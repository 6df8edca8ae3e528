package policies

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

// presetCase is one build under a preset.
type presetCase struct {
	head   []Finding
	base   []Finding
	event  Event
	runs   []string
	intel  Intel
	waiver func(*gate.Waiver)
	want   string // the overall decision, "?" if it is not conclusive, and the rules that are not satisfied
}

var allScans = []string{"semgrep", "trivy", "gitleaks"}

// days ago.
func ago(days int) time.Time { return noon.AddDate(0, 0, -days) }

// make changes a finding.
func with(f Finding, change func(*Finding)) Finding {
	change(&f)
	return f
}

func lib(s gate.Severity, change ...func(*Finding)) Finding {
	f := log4j(1)
	f.Severity, f.KEV, f.EPSS, f.Ransomware = s, new(false), new(0.01), new(false)
	for _, c := range change {
		c(&f)
	}
	return f
}

func code(s gate.Severity) Finding {
	return Finding{ID: 2, Fingerprint: "fp-code", Title: "SQL injection", Severity: s, Status: Open, Category: Code, Scanner: "semgrep", Path: "pay/db.go", Line: 7, FirstSeen: ago(1)}
}

func key(verified string) Finding {
	return Finding{ID: 3, Fingerprint: "fp-key", Title: "AWS key", Severity: gate.Low, Status: Open, Category: Secret, Scanner: "gitleaks", Path: "deploy/prod.env", Line: 7, FirstSeen: ago(1), Verified: verified}
}

func page(s gate.Severity) Finding {
	return Finding{ID: 4, Fingerprint: "fp-page", Title: "XSS", Severity: s, Status: Open, Category: Web, Scanner: "zap", Endpoint: "https://example.org/a", FirstSeen: ago(400)}
}

func seen(days int) func(*Finding) { return func(f *Finding) { f.FirstSeen = ago(days) } }

func runPreset(t *testing.T, name string, cases map[string]presetCase) {
	t.Helper()
	for label, c := range cases {
		in := Inputs{Policies: []*Policy{Builtin()[name]}, Context: Context{Event: c.event, HeadCommit: "head"}, Head: slices.Clone(c.head), Intel: c.intel, Now: noon}
		if c.base != nil {
			in.Baseline = base(c.base...)
			in.Baseline.Scanners = append(in.Baseline.Scanners, "zap")
			for _, f := range c.head {
				in.Baseline.Inventory = append(in.Baseline.Inventory, strings.TrimSuffix(f.PURL, "-new"))
			}
		}
		for _, tool := range c.runs {
			in.Runs = append(in.Runs, Run{Tool: tool, Commit: "head", CompletedAt: noon.Add(-time.Hour), Results: 1})
		}
		if c.waiver != nil {
			w := gate.Waiver{ID: "W", Match: gate.WaiverMatch{Fingerprint: "fp-log4j"}, RequestedBy: "dev", ApprovedBy: []string{"lead", "boss"}, ValidFrom: ago(1), Expires: noon.AddDate(0, 0, 10)}
			c.waiver(&w)
			in.Waivers = []gate.Waiver{w}
		}
		if got := summary(evaluate(t, in)); got != c.want {
			t.Errorf("%s: %s: got %q, want %q", name, label, got, c.want)
		}
	}
}

// summary writes a verdict in one line.
func summary(v gate.Verdict) string {
	parts := []string{string(v.Overall)}
	if !v.Conclusive {
		parts[0] += "?"
	}
	for _, m := range v.Missing {
		parts = append(parts, "-"+m.ID)
	}
	for _, p := range v.Policies {
		for _, r := range p.Rules {
			switch r.Outcome {
			case gate.Violated:
				parts = append(parts, r.ID)
			case gate.Inconclusive:
				parts = append(parts, r.ID+"?")
			}
		}
	}
	return strings.Join(parts, " ")
}

func introducedLib(f *Finding) { f.PURL += "-new" }

func TestPresetsParse(t *testing.T) {
	t.Parallel()
	want := []string{"clean-as-you-code", "default", "exploited", "pci", "sla", "strict"}
	if got := slices.Sorted(maps.Keys(Builtin())); !slices.Equal(got, want) {
		t.Errorf("presets %v, want %v", got, want)
	}
	for name, p := range Builtin() {
		if p.Name != name || p.Description == "" {
			t.Errorf("%s: name %q, description %q", name, p.Name, p.Description)
		}
	}
}

func TestPresetStrict(t *testing.T) {
	t.Parallel()
	runPreset(t, "strict", map[string]presetCase{
		"clean":            {runs: allScans, want: "pass"},
		"no_scans":         {want: "fail? -code -dependencies -secrets"},
		"old_high":         {runs: allScans, head: []Finding{lib(gate.High)}, base: []Finding{lib(gate.High)}, want: "fail no-critical-or-high"},
		"old_medium":       {runs: allScans, head: []Finding{lib(gate.Medium)}, base: []Finding{lib(gate.Medium)}, want: "pass"},
		"new_medium":       {runs: allScans, head: []Finding{code(gate.Medium)}, base: []Finding{}, want: "fail no-new-medium"},
		"medium_no_base":   {runs: allScans, head: []Finding{code(gate.Medium)}, want: "fail? no-new-medium?"},
		"untried_secret":   {runs: allScans, head: []Finding{key("")}, base: []Finding{key("")}, want: "fail no-secrets"},
		"dead_secret":      {runs: allScans, head: []Finding{key("inactive")}, base: []Finding{key("inactive")}, want: "pass"},
		"waived":           {runs: allScans, head: []Finding{lib(gate.Critical)}, waiver: func(*gate.Waiver) {}, want: "pass"},
		"waived_by_one":    {runs: allScans, head: []Finding{lib(gate.Critical)}, waiver: func(w *gate.Waiver) { w.ApprovedBy = w.ApprovedBy[:1] }, want: "fail no-critical-or-high"},
		"waived_exploited": {runs: allScans, head: []Finding{lib(gate.Critical, func(f *Finding) { f.KEV = new(true) })}, waiver: func(*gate.Waiver) {}, want: "fail no-critical-or-high"},
		"waived_unsure":    {runs: allScans, head: []Finding{lib(gate.Critical, func(f *Finding) { f.KEV = nil })}, waiver: func(*gate.Waiver) {}, want: "fail? no-critical-or-high?"},
		"waived_too_long":  {runs: allScans, head: []Finding{lib(gate.Critical)}, waiver: func(w *gate.Waiver) { w.Expires = noon.AddDate(0, 0, 20) }, want: "fail no-critical-or-high"},
	})
}

func TestPresetCleanAsYouCode(t *testing.T) {
	t.Parallel()
	runPreset(t, "clean-as-you-code", map[string]presetCase{
		"first_scan":          {head: []Finding{lib(gate.Critical), code(gate.High)}, want: "pass"},
		"first_scan_of_a_pr":  {event: PullRequest, head: []Finding{lib(gate.Low)}, want: "pass"},
		"pr_without_base":     {event: PullRequest, head: []Finding{code(gate.High)}, want: "fail? clean-change? no-more-than-before?"},
		"old_debt":            {head: []Finding{lib(gate.Critical), code(gate.High)}, base: []Finding{lib(gate.Critical), code(gate.High)}, want: "pass"},
		"new_code":            {head: []Finding{code(gate.Medium)}, base: []Finding{}, want: "fail clean-change"},
		"new_low_code":        {head: []Finding{code(gate.Low)}, base: []Finding{}, want: "pass"},
		"new_library":         {head: []Finding{lib(gate.High, introducedLib)}, base: []Finding{}, want: "fail clean-change no-more-than-before"},
		"disclosed_yesterday": {head: []Finding{lib(gate.High, seen(1))}, base: []Finding{}, want: "warn no-more-than-before"},
		"disclosed_in_spring": {head: []Finding{lib(gate.High, seen(200))}, base: []Finding{}, want: "fail disclosed-in-time no-more-than-before"},
		"new_secret":          {head: []Finding{key("")}, base: []Finding{}, want: "fail clean-of-secrets"},
		"swap": {
			head: []Finding{lib(gate.Critical, introducedLib)}, base: []Finding{with(lib(gate.Critical), func(f *Finding) { f.Fingerprint = "other" })},
			want: "fail clean-change",
		},
	})
}

func TestPresetExploited(t *testing.T) {
	t.Parallel()
	fresh := Intel{EPSS: Snapshot{ID: "epss", At: ago(1)}, KEV: Snapshot{ID: "kev", At: ago(1)}}
	kev := func(f *Finding) { f.KEV = new(true) }
	runPreset(t, "exploited", map[string]presetCase{
		"calm":              {intel: fresh, head: []Finding{lib(gate.Critical)}, base: []Finding{lib(gate.Critical)}, want: "pass"},
		"kev_introduced":    {intel: fresh, head: []Finding{lib(gate.Low, kev, introducedLib)}, base: []Finding{}, want: "fail known-exploited"},
		"kev_disclosed":     {intel: fresh, head: []Finding{lib(gate.Low, kev, seen(1))}, base: []Finding{}, want: "pass"},
		"kev_disclosed_4d":  {intel: fresh, head: []Finding{lib(gate.Low, kev, seen(4))}, base: []Finding{}, want: "fail known-exploited"},
		"kev_old_10d":       {intel: fresh, head: []Finding{lib(gate.Low, kev, seen(10))}, base: []Finding{lib(gate.Low)}, want: "pass"},
		"kev_old_20d":       {intel: fresh, head: []Finding{lib(gate.Low, kev, seen(20))}, base: []Finding{lib(gate.Low)}, want: "fail known-exploited"},
		"ransomware":        {intel: fresh, head: []Finding{lib(gate.Low, func(f *Finding) { f.Ransomware = new(true) })}, base: []Finding{lib(gate.Low)}, want: "fail ransomware"},
		"likely":            {intel: fresh, head: []Finding{lib(gate.High, func(f *Finding) { f.EPSS = new(0.1) }, seen(40))}, base: []Finding{lib(gate.High)}, want: "fail likely-exploited"},
		"epss_unknown":      {intel: fresh, head: []Finding{lib(gate.High, func(f *Finding) { f.EPSS = nil }, seen(40))}, base: []Finding{lib(gate.High)}, want: "fail? likely-exploited?"},
		"stale_intel":       {intel: Intel{EPSS: Snapshot{At: ago(8)}, KEV: fresh.KEV}, head: []Finding{lib(gate.High, seen(40))}, base: []Finding{lib(gate.High)}, want: "fail? likely-exploited?"},
		"code_has_no_epss":  {intel: fresh, head: []Finding{code(gate.High)}, base: []Finding{}, want: "pass"},
		"new_critical":      {intel: fresh, head: []Finding{lib(gate.Critical, introducedLib)}, base: []Finding{}, want: "fail new-critical-not-fixed"},
		"new_critical_code": {intel: fresh, head: []Finding{code(gate.Critical)}, base: []Finding{}, want: "fail new-critical-not-fixed"},
	})
}

func TestPresetSLA(t *testing.T) {
	t.Parallel()
	runPreset(t, "sla", map[string]presetCase{
		"critical_day_6":   {head: []Finding{lib(gate.Critical, seen(6))}, want: "pass"},
		"critical_day_7":   {head: []Finding{lib(gate.Critical, seen(7))}, want: "fail critical-in-7-days"},
		"new_critical_pr":  {event: PullRequest, head: []Finding{lib(gate.Critical, seen(0))}, base: []Finding{}, want: "pass"},
		"pr_without_base":  {event: PullRequest, head: []Finding{lib(gate.Critical, seen(6))}, want: "pass"},
		"high_day_29":      {head: []Finding{lib(gate.High, seen(29))}, want: "pass"},
		"high_day_30":      {head: []Finding{lib(gate.High, seen(30))}, want: "fail high-in-30-days"},
		"medium_day_91":    {head: []Finding{lib(gate.Medium, seen(91))}, want: "fail medium-in-90-days"},
		"low_only_warns":   {head: []Finding{lib(gate.Low, seen(121))}, want: "warn low-in-120-days"},
		"info_never":       {head: []Finding{lib(gate.Info, seen(900))}, want: "pass"},
		"waived_in_time":   {head: []Finding{lib(gate.Critical, seen(60))}, waiver: func(*gate.Waiver) {}, want: "pass"},
		"false_positive":   {head: []Finding{lib(gate.Critical, seen(60), func(f *Finding) { f.Status = FalsePositive })}, want: "pass"},
		"waiver_has_ended": {head: []Finding{lib(gate.Critical, seen(60))}, waiver: func(w *gate.Waiver) { w.Expires = noon }, want: "fail critical-in-7-days"},
	})
}

func TestPresetPCI(t *testing.T) {
	t.Parallel()
	published := func(days int) func(*Finding) { return func(f *Finding) { f.FixPublished = new(ago(days)) } }
	unfixed := func(f *Finding) { f.FixVersion = "" }
	runPreset(t, "pci", map[string]presetCase{
		"clean":               {runs: allScans, want: "pass"},
		"no_inventory":        {runs: []string{"semgrep", "gitleaks"}, want: "fail? -6.3.2-components"},
		"patch_of_last_week":  {runs: allScans, head: []Finding{lib(gate.High, seen(90), published(7))}, want: "pass"},
		"patch_of_last_year":  {runs: allScans, head: []Finding{lib(gate.High, seen(1), published(300))}, base: []Finding{}, want: "fail 6.3.3-patches"},
		"patch_of_some_day":   {runs: allScans, head: []Finding{lib(gate.High, seen(31))}, want: "fail 6.3.3-patches"},
		"no_patch":            {runs: allScans, head: []Finding{lib(gate.Critical, seen(90), unfixed)}, want: "pass"},
		"our_code":            {runs: allScans, head: []Finding{code(gate.High)}, want: "fail 6.2.4-code"},
		"our_medium_code":     {runs: allScans, head: []Finding{code(gate.Medium)}, want: "pass"},
		"secret":              {runs: allScans, head: []Finding{key("active")}, want: "fail 8.6.2-secrets"},
		"web_medium":          {runs: allScans, head: []Finding{page(gate.Medium)}, want: "fail 11.3-scans"},
		"web_low":             {runs: allScans, head: []Finding{page(gate.Low)}, want: "pass"},
		"medium_component":    {runs: allScans, head: []Finding{lib(gate.Medium, seen(100), unfixed)}, want: "warn 6.3.1-ranking"},
		"waived_kev_unknown":  {runs: allScans, head: []Finding{lib(gate.High, seen(90), func(f *Finding) { f.KEV = nil })}, waiver: func(*gate.Waiver) {}, want: "pass"},
		"waived_kev_is_known": {runs: allScans, head: []Finding{lib(gate.High, seen(90), func(f *Finding) { f.KEV = new(true) })}, waiver: func(*gate.Waiver) {}, want: "fail 6.3.3-patches"},
	})
}
