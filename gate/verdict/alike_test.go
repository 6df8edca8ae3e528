package verdict_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"defectdojo/gate"
	"defectdojo/gate/evidence"
	"defectdojo/gate/ingest"
	"defectdojo/gate/verdict"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
	"defectdojo/policies"
)

// TestSeenAlike checks of every parser's sample that what policies see of it is
// the same read here as stored there: an uploader without the server judges alike.
func TestSeenAlike(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	reports, findings := 0, 0
	for _, parser := range all.Parsers {
		path := sample(parser)
		if path == "" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		here, err := evidence.Read(t.Context(), parser, bytes.NewReader(b), evidence.Options{AllowEmpty: true, Commit: "c", Now: p.clock})
		if err != nil {
			continue // a sample of a sibling's
		}
		there, err := stored(p, parser, b)
		if err != nil {
			t.Errorf("%s: %v", parser.ScanType, err)
			continue
		}
		reports, findings = reports+1, findings+len(here.Findings)
		differ(t, parser.ScanType+" ("+filepath.Base(path)+")", here, there)
	}
	t.Logf("%d reports, %d findings seen alike", reports, findings)
	if reports < 150 || findings < 500 {
		t.Errorf("%d reports with %d findings were compared: the samples were not found", reports, findings)
	}
}

// sample is the largest good report among a parser's golden files, up to a size.
func sample(p parsers.Parser) string {
	best, size := "", int64(0)
	files, _ := filepath.Glob("../../parsers/" + p.Name + "/testdata/*")
	for _, f := range files {
		info, err := os.Stat(f)
		base := filepath.Base(f)
		if err != nil || info.IsDir() || strings.HasPrefix(base, "bad") || strings.Contains(base, ".golden") || info.Size() > 300_000 || info.Size() <= size {
			continue
		}
		best, size = f, info.Size()
	}
	return best
}

// stored imports a report and returns what its verdict rests on.
func stored(p *pipeline, parser parsers.Parser, b []byte) (policies.Inputs, error) {
	p.clock = p.clock.Add(time.Minute)
	commit, branch := "c", parser.ScanType
	r := ingest.Request{
		User: p.user, ScanType: parser.ScanType, Reimport: true, CloseOldFindings: true, AllowEmpty: true, CommitHash: &commit, BranchTag: &branch,
		Target: ingest.Target{ProductTypeName: "t", ProductName: "p " + parser.ScanType, EngagementName: branch, AutoCreateContext: true},
		Report: ingest.Report{Filename: "r", Content: bytes.NewReader(b), Size: int64(len(b)), SHA256: sha256.Sum256(b)},
	}
	ctx := context.Background()
	to, err := ingest.Resolve(ctx, p.store, r)
	if err != nil {
		return policies.Inputs{}, err
	}
	result, err := p.imp.Import(ctx, r, to, p.clock)
	if err != nil {
		return policies.Inputs{}, err
	}
	j, err := p.judger.Judge(ctx, verdict.Request{EngagementID: result.EngagementID, Event: policies.Push, Branch: branch, Commit: commit}, p.clock)
	if err != nil {
		return policies.Inputs{}, err
	}
	kept, err := p.store.Verdict(ctx, gate.Scope{All: true}, j.ID)
	if err != nil {
		return policies.Inputs{}, err
	}
	return p.judger.Inputs(ctx, kept.InputsDigest)
}

// differ tells where the two are not the same, but for what only a stored one has.
func differ(t *testing.T, name string, here evidence.Report, there policies.Inputs) {
	t.Helper()
	want := map[string]policies.Finding{}
	for _, f := range there.Head {
		if f.Status != policies.Duplicate {
			want[f.Fingerprint] = f
		}
	}
	got := map[string]policies.Finding{}
	for _, f := range here.Findings {
		got[f.Fingerprint] = f
	}
	own := cmpopts.IgnoreFields(policies.Finding{}, "ID", "FirstSeen")
	sorted := cmpopts.SortSlices(strings.Compare)
	if diff := cmp.Diff(want, got, own, sorted, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: findings (-stored +here):\n%s", name, head(diff))
	}
	i := slices.IndexFunc(there.Runs, func(r policies.Run) bool { return r.On == policies.OnHead })
	if i < 0 {
		t.Errorf("%s: no run", name)
		return
	}
	if diff := cmp.Diff(there.Runs[i], here.Run, cmpopts.IgnoreFields(policies.Run{}, "ID", "CompletedAt", "PastResults", "PastComponents"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: run (-stored +here):\n%s", name, head(diff))
	}
}

func head(s string) string {
	lines := strings.Split(s, "\n")
	if len(lines) > 40 {
		lines = append(lines[:40], fmt.Sprintf("… %d more lines", len(lines)-40))
	}
	return strings.Join(lines, "\n")
}
