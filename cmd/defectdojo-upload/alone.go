package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/client"
	"defectdojo/gate/dedup"
	"defectdojo/gate/evidence"
	"defectdojo/parsers/all"
	"defectdojo/policies"
	"defectdojo/policies/bundle"
)

// What an uploader does whose server does not answer.
const (
	onLocal = "local"
	onFail  = "fail"
	onPass  = "pass"
)

// aloneError says why a build could not be judged here either.
type aloneError struct {
	cause error // why the server is needed
	err   error
}

func (e *aloneError) Error() string {
	return fmt.Sprintf("%v\nand this build cannot be judged without it: %v", e.cause, e.err)
}

func (e *aloneError) Unwrap() error { return e.cause }

// isUnreachable tells whether the server did not answer, and somebody thought of
// that. Whoever was told to stop stops.
func (s *session) isUnreachable(ctx context.Context, err error) bool {
	var unreachable *client.UnreachableError
	return s.cmd.OnUnreachable != onFail && ctx.Err() == nil && (errors.As(err, &unreachable) || errors.Is(err, context.DeadlineExceeded))
}

// alone ends a build whose server does not answer: the reports are kept, and it
// is judged here, or let through.
func (s *session) alone(ctx context.Context, t terminal, reports []report, cause error) error {
	fmt.Fprintf(s.log, "%v\n", cause)
	a := answer{Reports: []uploaded{}}
	if s.cmd.OnUnreachable == onLocal && !s.cmd.NoGate {
		v, err := s.judgeHere(ctx, reports)
		if err != nil {
			if _, ok := errors.AsType[*reportError](err); !ok && gate.KindOf(err) != gate.Conflict {
				err = &aloneError{cause, err}
			}
			if s.spool(reports, nil) == nil {
				a.Spooled = true
			}
			a.ExitCode, a.Error = exitCode(err), err.Error()
			return s.cmd.end(t, a, err)
		}
		a.ExitCode, a.Verdict = v.Exit, &v
	}
	if err := s.spool(reports, a.Verdict); err != nil {
		return fmt.Errorf("keep the reports for later: %w", err)
	}
	a.Spooled = true
	switch {
	case a.Verdict != nil:
		fmt.Fprintf(s.log, "PROVISIONAL: judged here, by the server's bundle. The reports are kept in %s and sent by the next upload, or by 'defectdojo-upload flush'.\n", s.cache.dir)
	case s.cmd.NoGate:
		fmt.Fprintf(s.log, "The reports are kept in %s and sent by the next upload, or by 'defectdojo-upload flush'.\n", s.cache.dir)
	default:
		fmt.Fprintf(s.log, "NOT JUDGED: --on-unreachable=pass lets this build through. The reports are kept in %s and sent later.\n", s.cache.dir)
	}
	return s.cmd.end(t, a, nil)
}

// judgeHere judges the reports by the bundle.
func (s *session) judgeHere(ctx context.Context, reports []report) (gate.Verdict, error) {
	in, err := s.evidence(ctx, reports)
	if err != nil {
		return gate.Verdict{}, err
	}
	return policies.Evaluate(in)
}

// evidence is what a verdict made here rests on: the bundle, the reports, and the
// repository's own policies.
func (s *session) evidence(ctx context.Context, reports []report) (policies.Inputs, error) {
	q, err := s.question()
	if err != nil {
		return policies.Inputs{}, err
	}
	b, err := s.cache.open(s.server(), s.cmd.Product, s.bundleBranch(), s.cmd.Component)
	if err != nil {
		return policies.Inputs{}, err
	}
	c := policies.Context{
		Product: policies.Product{Name: s.cmd.Product}, Component: q.Component, Repository: q.Repository, Event: policies.Event(q.Event), Branch: first(q.Branch, s.cmd.Engagement),
		TargetBranch: q.TargetBranch, PullRequest: q.PullRequest, HeadCommit: q.Commit, BaseCommit: q.BaseCommit, MergeBase: q.MergeBase, Environment: q.Environment,
		Fork: q.Fork, Actor: q.Actor,
	}
	if err := b.Usable(&c, s.now()); err != nil {
		return policies.Inputs{}, errors.New(err.Error()) // whatever is wrong with it, the server is what is missing
	}
	in, err := s.inputs(ctx, b, c, reports)
	if err != nil {
		return in, err
	}
	if in.Baseline != nil {
		in.Baseline.Changed, in.Baseline.Renames = q.ChangedFiles, q.RenamedFiles
	}
	for _, p := range q.Policies {
		file, err := policies.ParseFile(p.Name, policies.FromRepository, []byte(p.Text))
		if err != nil {
			return in, gate.Errorf(gate.Conflict, "%v", err)
		}
		in.Policies = append(in.Policies, file.Policies...)
		for _, w := range file.Waivers {
			w.ApprovedBy = nil // whether they may, the server knows
			in.Waivers = append(in.Waivers, w)
		}
	}
	return in, nil
}

// server is its address, as the bundles are named by it.
func (s *session) server() string {
	if s.client != nil {
		return s.client.URL
	}
	return strings.TrimSuffix(strings.TrimSuffix(s.cmd.URL, "/"), "/api/v2")
}

// bundleBranch is the branch whose bundle is needed: that which the build is
// compared with.
func (s *session) bundleBranch() string {
	return first(s.build.targetBranch, s.build.branch, s.cmd.Engagement)
}

// inputs reads the reports, and puts them to what the bundle knows.
func (s *session) inputs(ctx context.Context, b *bundle.Bundle, c policies.Context, reports []report) (policies.Inputs, error) {
	least := gate.ParseSeverity(s.cmd.MinSeverity)
	now := s.now()
	var (
		runs  []policies.Run
		found []policies.Finding
		keep  []string
	)
	told := map[string]bool{}
	for _, r := range reports {
		e, err := readHere(ctx, r, evidence.Options{Service: s.cmd.Service, MinSeverity: least, AllowEmpty: s.cmd.AllowEmpty, Commit: c.HeadCommit, Fork: c.Fork, Now: now, Identity: identityOf(b, r.scanType)})
		if err != nil {
			return policies.Inputs{}, fileError(r.path, err)
		}
		runs = append(runs, e.Run)
		if !e.Closes {
			keep = append(keep, e.Run.Tool)
		}
		for _, f := range e.Findings {
			if !told[f.Fingerprint] {
				told[f.Fingerprint] = true
				f.ID = -int64(len(told))
				found = append(found, f)
			}
		}
	}
	return b.Inputs(c, runs, found, now, keep...)
}

// identityOf says how the server tells a scan type's findings apart; nil: as
// built in.
func identityOf(b *bundle.Bundle, scanType string) *dedup.Settings {
	i, ok := b.Identity[scanType]
	if !ok {
		return nil
	}
	out := dedup.Settings{Algorithm: dedup.Algorithm(i.Algorithm), NeedsCWE: i.NeedsCWE}
	for _, f := range i.Fields {
		out.Fields = append(out.Fields, dedup.Field(f))
	}
	return &out
}

func readHere(ctx context.Context, r report, o evidence.Options) (evidence.Report, error) {
	p, ok := all.ByScanType(r.scanType)
	if !ok {
		return evidence.Report{}, gate.Errorf(gate.Conflict, "%q is not a scan type", r.scanType)
	}
	f, err := os.Open(r.path)
	if err != nil {
		return evidence.Report{}, err
	}
	defer f.Close()
	return evidence.Read(ctx, p, f, o)
}

// refreshBundle brings the bundle up to date after an upload that went well. That
// this fails is told, and harms nothing today.
func (s *session) refreshBundle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.cmd.Timeout)
	defer cancel()
	if _, err := s.cache.fetch(ctx, s.client, s.cmd.Product, s.bundleBranch(), s.cmd.Component); err != nil {
		fmt.Fprintf(s.log, "the bundle for judging without the server was not refreshed: %v\n", err)
	}
}
