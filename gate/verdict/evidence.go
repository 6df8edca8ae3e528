package verdict

import (
	"context"
	"encoding/hex"

	"defectdojo/gate/dedup"
	"defectdojo/gate/evidence"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// learnTests notes what findings of the tests of imports have in common.
func (g *gathering) learnTests(ctx context.Context, imports []store.JudgedImport) error {
	if g.tests == nil {
		g.tests = map[int64]testFacts{}
		rows, err := g.store.AllDedupSettings(ctx)
		if err != nil {
			return err
		}
		g.identity = map[string]dedup.Settings{}
		for _, r := range rows {
			g.identity[r.ScanType] = r.Settings()
		}
	}
	for _, i := range imports {
		if _, ok := g.tests[i.TestID]; ok {
			continue
		}
		set, ok := g.identity[i.ScanType]
		if !ok {
			set = dedup.For(i.ScanType)
		}
		g.tests[i.TestID] = testFacts{scanner: evidence.Scanner(i.TestType, i.ScanType, i.Runs), scanType: i.ScanType, algorithm: set.Algorithm}
	}
	return nil
}

// current returns the imports that are of the change: those of its commit, or
// without a commit the newest of each test.
func (g *gathering) current(imports []store.JudgedImport, commit string) []int64 {
	var ids []int64
	ended := map[int64]bool{}   // tests whose imports of the commit are over
	for _, i := range imports { // the newest first
		if ended[i.TestID] {
			continue
		}
		switch {
		case commit == "":
			ids = append(ids, i.ID)
			ended[i.TestID] = true
		case i.CommitHash == commit:
			ids = append(ids, i.ID)
		default:
			ended[i.TestID] = true
		}
	}
	return ids
}

// run makes evidence of an import.
func (g *gathering) run(i store.JudgedImport, imports []store.JudgedImport, on policies.On) policies.Run {
	r := policies.Run{
		ID: i.ID, Tool: g.tests[i.TestID].scanner, On: on, Commit: i.CommitHash, ReportDigest: "sha256:" + hex.EncodeToString(i.SHA256),
		Outcome: i.Outcome, CompletedAt: i.Created, Results: i.FindingCount, Components: i.Components,
		Untrusted: i.Untrusted || on == policies.OnHead && g.request.Fork, Producer: i.Producer,
	}
	for _, run := range i.Runs {
		r.Version, r.Ruleset = first(r.Version, run.Version), first(r.Ruleset, run.Ruleset)
		r.Problems = append(r.Problems, run.Problems...)
	}
	for _, past := range imports {
		if past.TestID != i.TestID || past.ID >= i.ID || !complete(past.Outcome) || len(r.PastResults) >= 10 {
			continue
		}
		r.PastResults = append(r.PastResults, past.FindingCount)
		if past.Components > 0 {
			r.PastComponents = append(r.PastComponents, past.Components)
		}
	}
	return r
}
