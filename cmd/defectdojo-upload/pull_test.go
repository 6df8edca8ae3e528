package main

import (
	"slices"
	"strconv"
	"testing"

	"defectdojo/gate"
)

// TestPullRequestsOfOneEngagement interleaves two pull requests that name one
// engagement: each is judged by its own reports, against the target's.
func TestPullRequestsOfOneEngagement(t *testing.T) {
	t.Parallel()
	j := newSite(t).job(t)
	upload := func(want gate.ExitCode, pull int, commit string, findings ...string) *gate.Verdict {
		t.Helper()
		args := []string{"upload", "--product=shop", "--engagement=CI", "--scan-type=Generic Findings Import", "--format=json", "--commit=" + commit, "--branch=main"}
		if pull != 0 {
			args[len(args)-1] = "--branch=fix-" + strconv.Itoa(pull)
			args = append(args, "--target-branch=main", "--pull-request="+strconv.Itoa(pull))
		}
		stdout, _ := j.must(want, append(args, generic(t, findings...))...)
		return verdictOf(t, stdout)
	}
	upload(gate.ExitPassed, 0, "m1", "Old:Critical")
	for _, step := range []struct {
		pull     int
		commit   string
		findings []string
		want     gate.ExitCode
		shown    []string
	}{
		{7, "a1", []string{"Old:Critical", "Seven:Critical"}, gate.ExitFailed, []string{"Seven"}},
		{8, "b1", []string{"Old:Critical", "Eight:Critical"}, gate.ExitFailed, []string{"Eight"}},
		{7, "a2", []string{"Old:Critical", "Seven:Critical", "Seventh:Critical"}, gate.ExitFailed, []string{"Seven", "Seventh"}},
		{8, "b2", []string{"Old:Critical"}, gate.ExitPassed, nil},
		{7, "a3", []string{"Old:Critical"}, gate.ExitPassed, nil},
	} {
		v := upload(step.want, step.pull, step.commit, step.findings...)
		var shown []string
		for _, f := range v.Findings {
			if f.Code == gate.DispositionCounted {
				shown = append(shown, f.Title)
			}
		}
		if slices.Sort(shown); !slices.Equal(shown, step.shown) || v.Deltas[gate.DeltaExisting] != 1 || v.Subject.PullRequest != step.pull {
			t.Errorf("pull request %d at %s: %q count, %v of %+v; why %q", step.pull, step.commit, shown, v.Deltas, v.Subject, v.Why)
		}
	}
}
