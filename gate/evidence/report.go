package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
	"defectdojo/policies"
)

// Options say how a report is read, as the parameters of an upload do.
type Options struct {
	Service     string
	MinSeverity gate.Severity
	AllowEmpty  bool
	Commit      string
	Fork        bool // the change's author decides what the report says
	Now         time.Time
	Limits      stream.Limits
	Identity    *dedup.Settings // how findings are told apart; nil: as built in
}

// Report is what policies see of a report.
type Report struct {
	Run      policies.Run
	Findings []policies.Finding // each once; without ids
	Closes   bool               // what it does not show is gone
}

// Read reads a report as the server would take it in.
func Read(ctx context.Context, p parsers.Parser, src io.ReadSeeker, o Options) (Report, error) {
	r := reader{parser: p, options: o, settings: dedup.For(p.ScanType), components: map[string]bool{}}
	if o.Identity != nil {
		r.settings = *o.Identity
	}
	r.hasher = dedup.NewHasher(r.settings)
	sum := sha256.New()
	if _, err := io.Copy(sum, src); err != nil {
		return Report{}, err
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return Report{}, err
	}
	runs, err := parsers.Read(ctx, p, src, parsers.Options{
		Limits: o.Limits, Now: o.Now, Begin: func(run gate.Run) { r.begun = run }, Emit: r.emit,
		Components: func(c gate.Component) {
			if c.PURL != "" {
				r.components[c.PURL] = true
			}
		},
	})
	if err != nil {
		return Report{}, err
	}
	return r.report(runs, hex.EncodeToString(sum.Sum(nil))), nil
}

// reader collects a report's findings.
type reader struct {
	parser     parsers.Parser
	options    Options
	settings   dedup.Settings
	hasher     *dedup.Hasher
	count      int
	found      []seen
	begun      gate.Run        // what is known of the first run before its first observation
	components map[string]bool // by purl
}

// seen is an observation with its identity.
type seen struct {
	gate.Observation

	hash [sha256.Size]byte
}

func (r *reader) emit(o gate.Observation) {
	r.count++
	if o.Severity < r.options.MinSeverity {
		return
	}
	o.VulnerabilityIDs = o.IDs()
	if r.options.Service != "" {
		o.Service = r.options.Service
	}
	o.Tags = CleanTags(o.Tags)
	r.found = append(r.found, seen{o, r.hasher.Hash(&o)})
}

func (r *reader) report(runs []gate.Run, digest string) Report {
	begun := r.begun // a test is named when its first finding comes
	if len(r.found) == 0 && len(runs) > 0 {
		begun = runs[0]
	}
	scanner := Scanner(TestType(r.parser.ScanType, begun.Type), r.parser.ScanType, runs)
	out := Report{Run: policies.Run{
		Tool: scanner, On: policies.OnHead, Commit: r.options.Commit, ReportDigest: "sha256:" + digest, Outcome: Worst(runs), CompletedAt: r.options.Now,
		Results: r.count, Components: len(r.components), Untrusted: r.options.Fork,
	}}
	for _, run := range runs {
		out.Run.Version, out.Run.Ruleset = first(out.Run.Version, run.Version), first(out.Run.Ruleset, run.Ruleset)
		out.Run.Problems = append(out.Run.Problems, run.Problems...)
	}
	out.Closes = Closes(out.Run.Outcome, r.count, r.options.AllowEmpty)
	told := map[string]bool{}
	for i := range r.found {
		if f := r.finding(&r.found[i], scanner); !told[f.Fingerprint] && f.Status != policies.Mitigated {
			told[f.Fingerprint] = true
			out.Findings = append(out.Findings, f)
		}
	}
	return out
}

// finding is what policies see of a new finding: its flags agree with each other
// as those of a stored one do.
func (r *reader) finding(s *seen, scanner string) policies.Finding {
	o := &s.Observation
	flags := policies.Flags{
		Active: o.Active == nil || *o.Active, Verified: o.Verified, FalsePositive: o.FalsePositive, OutOfScope: o.OutOfScope, RiskAccepted: o.RiskAccepted,
		UnderReview: o.UnderReview, Mitigated: o.Mitigated,
	}
	if flags.Active {
		flags.FalsePositive, flags.OutOfScope, flags.Mitigated = false, false, false
	}
	if flags.FalsePositive || flags.OutOfScope {
		flags.Verified = false
	}
	f := policies.Finding{
		Fingerprint: Fingerprint(r.settings.Algorithm, scanner, o.UniqueID, s.hash[:]), Title: o.Title, Severity: o.Severity, Status: flags.Status(), Scanner: scanner,
		Rule: o.Rule(), Vulnerabilities: o.VulnerabilityIDs, PURL: o.PURL, Component: o.ComponentName, Version: o.ComponentVersion, Path: o.FilePath,
		FixVersion: o.FixedIn(), FixAvailable: o.FixAvailable, EPSS: o.EPSSScore, EPSSPercentile: o.EPSSPercentile, CVSS: CVSS(o.CVSSv4Score, o.CVSSv3Score), Tags: o.Tags,
	}
	if o.Line != nil {
		f.Line = *o.Line
	}
	Describe(&f, r.parser.ScanType, o.CWE, o.Analysis.IsStatic() || o.FilePath != "", o.IsExploited(), o.RansomwareUsed, o.Snippet, dedup.EndpointKey(o.Endpoints))
	return f
}

func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}
