package inbound

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/ingest"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
	"defectdojo/parsers/stream"
	"defectdojo/policies"
)

// Build is a build of a code host that is over, as the host's API tells it.
type Build struct {
	Kind       string // of the code host
	Connection store.Connection
	Repository store.Repository // whose product it is
	Event      policies.Event
	Branch     string // of the change; of a fork with its owner: "ada:fix"
	Target     string // branch that a pull request is to go into
	Pull       int
	Commit     string
	BaseCommit string
	MergeBase  string
	ID         string // of the build: run and attempt
	Sequence   int64  // grows with each build, and with each attempt of one
	Fork       bool   // whoever made the change decides what the build says
	Actor      string
	Producer   string   // what made the reports, as the host tells it
	URL        string   // of the repository
	Elsewhere  []string // where the other parts of a monorepo are
	Changed    []string
	Renames    map[string]string
	Policies   []verdict.Source // as they are where the change is to go
}

// Archive is an artifact of a build: a zip with reports.
type Archive struct {
	Name string
	ID   string
	Zip  *os.File
}

// Puller takes the reports of builds in, and has the builds judged.
type Puller struct {
	Store  *store.Store
	Import func(context.Context, ingest.Request, ingest.Resolved, time.Time) (ingest.Result, error)
	Judge  *verdict.Judge
	Limits stream.Limits
	Now    func() time.Time
}

// Taken is what became of a build.
type Taken struct {
	Reports    int
	VerdictID  int64
	Overall    gate.Decision
	Superseded bool // a newer build was here before
	Known      bool // it was taken in and judged before
}

// String says it in a few words.
func (t Taken) String() string {
	switch {
	case t.Superseded:
		return fmt.Sprintf("%d reports, of an older run than what is here: nothing changed", t.Reports)
	case t.Known:
		return fmt.Sprintf("%d reports, which were taken in and judged before", t.Reports)
	}
	return fmt.Sprintf("%d reports, verdict %d: %s", t.Reports, t.VerdictID, t.Overall)
}

// Unreadable is the error of a build whose artifacts cannot be taken in: it
// must not look like one without findings.
type Unreadable struct{ Why string } //nolint:errname // it says what the build is

// Error returns why.
func (u *Unreadable) Error() string { return u.Why }

// Take imports the reports in a build's archives, and has it judged.
func (p *Puller) Take(ctx context.Context, b Build, archives []Archive) (Taken, error) {
	dir, err := os.MkdirTemp("", "build-")
	if err != nil {
		return Taken{}, err
	}
	defer os.RemoveAll(dir)
	var reports []report
	for _, a := range archives {
		found, err := p.unpack(ctx, dir, a)
		if err != nil {
			return Taken{}, unreadable(a.Name, err)
		}
		if len(found) == 0 {
			return Taken{}, &Unreadable{a.Name + ": none of its files is a report that is known"}
		}
		reports = append(reports, found...)
	}
	title(reports)
	user, err := p.Store.EnsureService(ctx, b.Kind)
	if err != nil {
		return Taken{}, err
	}
	return p.take(ctx, b, reports, user)
}

func (p *Puller) take(ctx context.Context, b Build, reports []report, user gate.User) (Taken, error) {
	t := Taken{Reports: len(reports), Superseded: true, Known: true}
	var engagement int64
	for i := range reports {
		r := &reports[i]
		result, err := p.bring(ctx, b, r, user)
		if err != nil {
			return t, unreadable(r.name, err)
		}
		engagement = result.EngagementID
		t.Superseded = t.Superseded && result.Superseded
		known := result.Replayed
		if known {
			if known, err = p.Store.IsAnswered(ctx, result.EngagementID, result.ImportID, b.Commit); err != nil {
				return t, err
			}
		}
		t.Known = t.Known && known
	}
	if t.Superseded || t.Known {
		return t, nil
	}
	j, err := p.Judge.Judge(ctx, verdict.Request{
		EngagementID: engagement, Event: b.Event, Branch: b.Branch, TargetBranch: b.Target, PullRequest: b.Pull, Commit: b.Commit, BaseCommit: b.BaseCommit,
		MergeBase: b.MergeBase, Repository: b.Repository.FullName, Component: b.Repository.Component, BuildID: b.ID, Fork: b.Fork, Actor: b.Actor,
		Policies: b.Policies, Changed: b.Changed, Renames: b.Renames,
	}, p.Now())
	t.VerdictID, t.Overall = j.ID, j.Overall
	if err != nil && len(b.Policies) > 0 {
		err = unreadable(b.Policies[0].Name, err)
	}
	return t, err
}

// bring imports one report. Those of forks stay among themselves: no finding of
// another branch becomes the duplicate of one of theirs.
func (p *Puller) bring(ctx context.Context, b Build, r *report, user gate.User) (ingest.Result, error) {
	f, err := os.Open(r.path)
	if err != nil {
		return ingest.Result{}, err
	}
	defer f.Close()
	key := sha256.Sum256([]byte(fmt.Sprintf("%s %d %d %q %s %s %q", b.Kind, b.Connection.ID, b.Repository.ID, b.Branch, b.ID, r.archive, r.name)))
	return p.Import(ctx, ingest.Request{
		User: user, Reimport: true, ScanType: r.scanType, CloseOldFindings: true, Untrusted: b.Fork, Producer: b.Producer,
		Paths: b.Repository.Paths, Elsewhere: b.Elsewhere, Judges: true,
		BuildID: &b.ID, BranchTag: &b.Branch, CommitHash: &b.Commit, Line: b.line(), Sequence: b.Sequence, IdempotencyKey: hex.EncodeToString(key[:]),
		Target: ingest.Target{EngagementName: b.Branch, TestTitle: r.title, AutoCreateContext: true, DeduplicationOnEngagement: b.Fork, SourceCodeManagementURI: b.URL},
		Report: ingest.Report{Filename: r.name, Content: f, Size: r.size, SHA256: r.sum},
	}, ingest.Resolved{ProductID: *b.Repository.ProductID}, p.Now())
}

// line keeps the reports of a pull request, and those of each repository that a
// product has, apart from others of the engagement.
func (b *Build) line() gate.Line {
	l := gate.Line{Repository: b.Repository.FullName, Component: b.Repository.Component, Ref: gate.BranchRef(b.Branch)}
	if b.Pull != 0 && b.Event != policies.MergeGroup { // a queue's is its own
		l.Ref = gate.PullRef(b.Pull)
	}
	return l
}

// report is one of a build.
type report struct {
	archive  string // its id
	name     string // with the archive's
	title    string // of the test, where several reports have one scan type
	scanType string
	path     string
	size     int64
	sum      [32]byte
}

// title names the tests of reports that share a scan type: as the uploader does.
func title(reports []report) {
	types := map[string]int{}
	for _, r := range reports {
		types[r.scanType]++
	}
	for i := range reports {
		if types[reports[i].scanType] > 1 {
			reports[i].title = reports[i].name
		}
	}
}

// unpack writes the reports in an archive into dir, under names of our own, and
// finds out what each is. Files that are no reports are left out.
func (p *Puller) unpack(ctx context.Context, dir string, a Archive) ([]report, error) {
	in, err := stream.NewInput(ctx, a.Zip, p.Limits)
	if err != nil {
		return nil, err
	}
	var out []report
	err = stream.Zip(in, func(m stream.Member) error {
		r, err := p.member(ctx, dir, a, m)
		if err == nil && r.scanType != "" {
			out = append(out, r)
		}
		return err
	})
	return out, err
}

func (p *Puller) member(ctx context.Context, dir string, a Archive, m stream.Member) (report, error) {
	content, err := m.Open()
	if err != nil {
		return report{}, err
	}
	f, err := os.CreateTemp(dir, "report-")
	if err != nil {
		return report{}, err
	}
	defer f.Close()
	h := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, h), content)
	if err != nil {
		return report{}, err
	}
	r := report{archive: a.ID, name: a.Name + "/" + m.Name, path: f.Name(), size: size}
	h.Sum(r.sum[:0])
	s, err := parsers.NewSample(ctx, f, p.Limits)
	if err != nil {
		return r, err
	}
	found := parsers.Detect(all.Parsers, s)
	if len(found) == 0 {
		return r, os.Remove(f.Name())
	}
	parser, err := parsers.Choose(found)
	r.scanType = parser.ScanType
	return r, err
}

// unreadable tells what is wrong with an artifact, unless the fault is ours.
func unreadable(name string, err error) error {
	if e, ok := errors.AsType[*stream.Error](err); ok {
		return &Unreadable{name + ": " + e.Error()}
	}
	switch gate.KindOf(err) {
	case gate.Invalid, gate.TooLarge, gate.Conflict:
		e, _ := errors.AsType[*gate.Error](err)
		if strings.HasPrefix(e.Message, name) {
			name = ""
		} else {
			name += ": "
		}
		return &Unreadable{name + e.Message}
	}
	return err
}
