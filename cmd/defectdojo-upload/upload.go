package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/client"
)

// uploadCmd uploads reports and exits by the verdict over them.
type uploadCmd struct {
	Reports []string `arg:"" help:"Reports to upload; patterns are expanded where the shell does not."`

	serverFlags `embed:""`
	cacheFlags  `embed:""`

	subjectFlags `embed:""`

	ProductType string `env:"DD_PRODUCT_TYPE" help:"Product type of a product that is created."`
	ScanType    string `env:"DD_SCAN_TYPE" help:"Scan type of all reports; detected from their content when not given."`
	Service     string `env:"DD_SERVICE" help:"Part of the product that the reports are about."`
	MinSeverity string `name:"minimum-severity" enum:"Info,Low,Medium,High,Critical" default:"Info" help:"Leave out findings below it."`
	AllowEmpty  bool   `env:"DD_ALLOW_EMPTY" help:"A report without findings closes the ones there are, although it does not say that the scan succeeded."`

	PullRequest int    `env:"DD_PULL_REQUEST" help:"Number of the pull or merge request; from the CI when not given."`
	Commit      string `env:"DD_COMMIT" help:"Commit; from the CI when not given."`
	BuildID     string `name:"build" env:"DD_BUILD" help:"Build; from the CI when not given."`
	Environment string `env:"DD_ENVIRONMENT" help:"Where the build is to run."`

	Checkout string `env:"DD_CHECKOUT" default:"." type:"path" help:"Folder of the git checkout: it tells what the change is compared with and which files it touches."`
	NoFetch  bool   `env:"DD_NO_FETCH" help:"Do not fetch the commits that a shallow clone lacks."`

	Policy     []string `type:"existingfile" help:"Policy files of the repository, from the target branch. They can only tighten."`
	NoGate     bool     `help:"Only upload; ask for no verdict."`
	Output     []string `placeholder:"FILE" help:"Also write the verdict to this file, in the form of its ending: .json, .sarif, .xml (JUnit), .md, .html, .txt, gl-code-quality-report.json, or .intoto.json (signed). Several times for several."`
	ReportsDir string   `name:"reports-dir" env:"DD_REPORTS_DIR" help:"Folder for the verdict in every format: JSON, Markdown, HTML, SARIF, JUnit, GitLab's."`
	Format     string   `enum:"text,json" default:"text" help:"text or json."`
	StrictWarn bool     `help:"A warning fails the build, too."`
	ExitZero   bool     `help:"Exit 0 whatever the verdict, and say what it would have been."`

	OnUnreachable string `env:"DD_ON_UNREACHABLE" enum:"local,fail,pass" default:"fail" help:"When the server does not answer: judge here by the last bundle (local), exit 5 (fail), or let the build pass (pass). With local and pass the reports are kept and sent later."`
}

// subjectFlags say what is judged.
type subjectFlags struct {
	Product      string `env:"DD_PRODUCT" help:"Product; the repository's name when not given."`
	Engagement   string `env:"DD_ENGAGEMENT" help:"Engagement; the branch when not given."`
	Branch       string `env:"DD_BRANCH" help:"Branch that is built; from the CI when not given."`
	TargetBranch string `env:"DD_TARGET_BRANCH" help:"Branch that a pull request goes into; from the CI when not given."`
	Component    string `env:"DD_COMPONENT" help:"Part of a monorepo: services/pay."`
}

// Run runs the command.
func (c *uploadCmd) Run(ctx context.Context, t terminal) error {
	b := c.build(t.getenv)
	if c.Product == "" {
		if b.repository == "" {
			return gate.Errorf(gate.Conflict, "--product is needed: no CI says which repository this is")
		}
		c.Product = b.repository
	}
	if c.Engagement == "" {
		c.Engagement = first(b.branch, "default")
	}
	cl, err := c.client(t)
	if err != nil {
		return err
	}
	if err := c.checkOutputs(); err != nil {
		return err
	}
	reports, err := c.reports(ctx)
	if err != nil {
		return err
	}
	s := session{
		cmd: c, build: b, client: cl, getenv: t.getenv, log: t.stderr, live: isTerminal(t.stderr) && b.ci == "", cache: c.cache(),
		now: time.Now, //nolint:forbidigo // the command is an edge
	}
	if !c.NoGate {
		s.lookBack(ctx)
	}
	out, judged, err := s.ask(ctx, reports)
	if s.isUnreachable(ctx, err) {
		return s.alone(ctx, t, reports, err)
	}
	if err == nil && judged != nil && c.OnUnreachable == onLocal {
		s.refreshBundle(ctx)
	}
	return c.report(t, out, judged, err)
}

// lookBack asks the checkout what was before the build.
func (s *session) lookBack(ctx context.Context) {
	s.past = checkout{s.cmd.Checkout}.look(ctx, s.build, !s.cmd.NoFetch)
	s.build.mergeBase = first(s.build.mergeBase, s.past.mergeBase)
	for _, n := range s.past.notes {
		fmt.Fprintf(s.log, "note: %s\n", n)
	}
}

// ask uploads the reports and asks for the verdict, as long as the time limit lets it.
func (s *session) ask(ctx context.Context, reports []report) ([]uploaded, *client.Judged, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cmd.Timeout)
	defer cancel()
	err := s.prove(ctx)
	for i := range reports {
		reports[i].key = s.key(reports[i])
	}
	if err != nil {
		return nil, nil, err
	}
	s.flushBefore(ctx)
	out, err := s.upload(ctx, reports)
	if err != nil || s.cmd.NoGate {
		return out, nil, err
	}
	judged, err := s.judge(ctx, out[len(out)-1].EngagementID)
	if err == nil {
		err = s.statements(ctx, judged.VerdictID)
	}
	if err != nil {
		return out, nil, err
	}
	return out, &judged, nil
}

// build is what the CI says, under what the command line says.
func (c *uploadCmd) build(getenv func(string) string) build {
	b := detectBuild(getenv)
	b.branch, b.targetBranch, b.commit, b.buildID = first(c.Branch, b.branch), first(c.TargetBranch, b.targetBranch), first(c.Commit, b.commit), first(c.BuildID, b.buildID)
	if c.PullRequest != 0 {
		b.pullRequest = c.PullRequest
	}
	if b.event == "" {
		b.event = "push"
	}
	if b.pullRequest != 0 && b.event == "push" {
		b.event = "pull_request"
	}
	return b
}

// report is one file to upload.
type report struct {
	path     string
	size     int64
	scanType string
	title    string // of the test, where several reports have one scan type
	sha256   [32]byte
	key      string // makes it one upload, however often it is sent
}

// reports looks at all files before anything is sent.
func (c *uploadCmd) reports(ctx context.Context) ([]report, error) {
	paths, err := expand(c.Reports)
	if err != nil {
		return nil, err
	}
	var all []report
	perType := map[string]int{}
	for _, path := range paths {
		r, err := c.look(ctx, path)
		if err != nil {
			return nil, err
		}
		perType[r.scanType]++
		all = append(all, r)
	}
	for i := range all {
		if perType[all[i].scanType] > 1 {
			all[i].title = filepath.ToSlash(filepath.Clean(all[i].path))
		}
	}
	return all, nil
}

// expand resolves patterns. One that matches nothing is an error: a step that
// uploads nothing must not look like one that found nothing.
func expand(patterns []string) ([]string, error) {
	var paths []string
	for _, p := range patterns {
		found := []string{p}
		if _, err := os.Stat(p); err != nil {
			if found, err = filepath.Glob(p); err != nil {
				return nil, gate.Errorf(gate.Conflict, "%s: not a pattern", p)
			}
		}
		if len(found) == 0 {
			return nil, gate.Errorf(gate.Conflict, "%s: there is no such file: did the scan run?", p)
		}
		for _, f := range found {
			if !slices.Contains(paths, f) {
				paths = append(paths, f)
			}
		}
	}
	return paths, nil
}

func (c *uploadCmd) look(ctx context.Context, path string) (report, error) {
	r := report{path: path}
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return r, gate.Errorf(gate.Conflict, "%s: not a file", path)
	}
	p, err := chooseParser(ctx, f, c.ScanType)
	if err != nil {
		return r, fileError(path, err)
	}
	r.scanType, r.size = p.ScanType, info.Size()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return r, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return r, err
	}
	h.Sum(r.sha256[:0])
	return r, nil
}

// session is one run of the command.
type session struct {
	cmd    *uploadCmd
	build  build
	past   history
	client *client.Client
	getenv func(string) string
	log    io.Writer
	live   bool
	cache  cache
	now    func() time.Time
}

// uploaded is what became of a report.
type uploaded struct {
	File     string `json:"file"`
	ScanType string `json:"scan_type"`
	client.Imported
}

func (s *session) upload(ctx context.Context, reports []report) ([]uploaded, error) {
	var out []uploaded
	for _, r := range reports {
		began := time.Now() //nolint:forbidigo // the command is an edge
		if s.live {
			fmt.Fprintf(s.log, "%s … ", r.path)
		}
		imported, err := s.client.Reimport(ctx, client.Upload{
			Name: r.path, Size: r.size, Open: func() (io.ReadCloser, error) { return os.Open(r.path) }, Fields: s.fields(r), IdempotencyKey: r.key,
		})
		if err != nil {
			if s.live {
				fmt.Fprintln(s.log)
			}
			return out, fmt.Errorf("%s: %w", r.path, err)
		}
		if !s.live {
			fmt.Fprintf(s.log, "%s: ", r.path)
		}
		fmt.Fprintf(s.log, "%s, %s (%s)\n", r.scanType, summary(imported), time.Since(began).Round(10*time.Millisecond))
		for _, n := range imported.Notes {
			fmt.Fprintf(s.log, "  note: %s\n", n)
		}
		out = append(out, uploaded{r.path, r.scanType, imported})
	}
	return out, nil
}

func summary(i client.Imported) string {
	if d := i.Statistics.Delta; d != nil {
		parts := []string{fmt.Sprintf("%d open", i.Statistics.After.Total.Active)}
		for _, p := range []struct {
			n    int
			word string
		}{{d.Created.Total.Total, "new"}, {d.Closed.Total.Total, "closed"}, {d.Reactivated.Total.Total, "reopened"}, {d.Untouched.Total.Total, "unchanged"}} {
			if p.n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
			}
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%d open, first report of its kind here", i.Statistics.After.Total.Active)
}

// fields are the form fields of a report's upload.
func (s *session) fields(r report) map[string]string {
	f := map[string]string{
		"scan_type": r.scanType, "product_name": s.cmd.Product, "product_type_name": s.cmd.ProductType, "engagement_name": s.cmd.Engagement, "auto_create_context": "true",
		"close_old_findings": "true", "minimum_severity": s.cmd.MinSeverity, "test_title": r.title, "service": s.cmd.Service,
		"branch_tag": s.build.branch, "commit_hash": s.build.commit, "build_id": s.build.buildID, "source_code_management_uri": s.build.url,
	}
	f["own_test"], f["repository"], f["component"] = strconv.FormatBool(s.build.branch != ""), s.build.repository, s.cmd.Component
	if s.build.branch == "" { // nothing tells what they are apart from
		delete(f, "repository")
		delete(f, "component")
	}
	if s.build.pullRequest != 0 && s.build.event != "merge_group" {
		f["pull_request"] = strconv.Itoa(s.build.pullRequest)
	}
	if s.build.sequence > 0 {
		f["sequence"] = strconv.FormatInt(s.build.sequence, 10)
	}
	if s.cmd.AllowEmpty {
		f["allow_empty"] = "true"
	}
	for k, v := range f {
		if v == "" {
			delete(f, k)
		}
	}
	return f
}

// key makes an upload once only: the same report of the same build, sent again,
// gets the first one's answer.
func (s *session) key(r report) string {
	build := s.build.buildID
	if build == "" {
		build = rand.Text() // no CI: only this run's own retries are the same upload
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{s.cmd.Product, s.cmd.Engagement, r.title, r.scanType, s.cmd.Service, build, s.build.commit, hex.EncodeToString(r.sha256[:])}, "\x00")))
	return hex.EncodeToString(sum[:])
}

func (s *session) judge(ctx context.Context, engagement int64) (client.Judged, error) {
	j, err := s.question()
	if err != nil {
		return client.Judged{}, err
	}
	j.Engagement = engagement
	return s.client.Judge(ctx, j)
}

// question is what a verdict is asked for with, but for the engagement.
func (s *session) question() (client.Judge, error) {
	j := client.Judge{
		Event: s.build.event, Branch: s.build.branch, TargetBranch: s.build.targetBranch, PullRequest: s.build.pullRequest, Commit: s.build.commit,
		BaseCommit: s.build.baseCommit, MergeBase: s.build.mergeBase, Repository: s.build.repository, Component: s.cmd.Component, Environment: s.cmd.Environment,
		BuildID: s.build.buildID, Fork: s.build.fork, Actor: s.build.actor,
		Ancestors: s.past.ancestors, ChangedFiles: s.past.changed, RenamedFiles: s.past.renames,
	}
	for _, path := range s.cmd.Policy {
		b, err := os.ReadFile(path)
		if err != nil {
			return j, err
		}
		j.Policies = append(j.Policies, client.PolicySource{Name: filepath.ToSlash(path), Text: string(b)})
	}
	return j, nil
}
