package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
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

// spooled is a build whose reports could not be sent: a folder in the cache, with
// this as entry.json and the reports beside it. It holds no token.
type spooled struct {
	Server      string          `json:"server"`
	At          time.Time       `json:"at"`
	Product     string          `json:"product"`
	Question    *client.Judge   `json:"question,omitempty"` // the verdict that was asked for; nil: none
	Provisional *provisional    `json:"provisional,omitempty"`
	Reports     []spooledReport `json:"reports"`

	dir string
}

// provisional is what was decided without the server.
type provisional struct {
	ID         string        `json:"id"`
	Overall    gate.Decision `json:"overall"`
	Conclusive bool          `json:"conclusive"`
	Exit       gate.ExitCode `json:"exit_code"`
	Why        []string      `json:"why"`
}

// spooledReport is one report of it.
type spooledReport struct {
	Name   string            `json:"name"` // as it was called
	File   string            `json:"file"` // in the folder
	Size   int64             `json:"size"`
	Fields map[string]string `json:"fields"`
	Key    string            `json:"key"`
}

const entryFile = "entry.json"

func (c cache) spoolDir() string { return filepath.Join(c.dir, "spool") }

// spool keeps the reports of a build, with what was decided about it.
func (s *session) spool(reports []report, v *gate.Verdict) error {
	e := spooled{Server: s.client.URL, At: s.now().UTC(), Product: s.cmd.Product}
	if !s.cmd.NoGate {
		q, err := s.question()
		if err != nil {
			return err
		}
		e.Question = &q
	}
	if v != nil {
		e.Provisional = &provisional{v.ID, v.Overall, v.Conclusive, v.Exit, v.Why}
	}
	name := fmt.Sprintf("%s-%s", e.At.Format("20060102T150405.000000000"), strings.ToLower(rand.Text()[:8]))
	part := filepath.Join(s.cache.spoolDir(), ".new-"+name)
	if err := os.MkdirAll(part, 0o700); err != nil {
		return err
	}
	for i, r := range reports {
		file := strconv.Itoa(i)
		if err := copyFile(filepath.Join(part, file), r.path); err != nil {
			return errors.Join(err, os.RemoveAll(part))
		}
		e.Reports = append(e.Reports, spooledReport{Name: r.path, File: file, Size: r.size, Fields: s.fields(r), Key: r.key})
	}
	b, err := json.MarshalIndent(e, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(part, entryFile), b, 0o600)
	}
	if err == nil {
		err = os.Rename(part, filepath.Join(s.cache.spoolDir(), name)) // whole, or not at all
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// spooled returns what is still to be sent to a server, the oldest first.
func (c cache) spooled(server string) ([]spooled, error) {
	dirs, err := os.ReadDir(c.spoolDir())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []spooled
	for _, d := range dirs {
		if !d.IsDir() || strings.HasPrefix(d.Name(), ".") || d.Name() == rejectedDir {
			continue
		}
		e := spooled{dir: filepath.Join(c.spoolDir(), d.Name())}
		b, err := os.ReadFile(filepath.Join(e.dir, entryFile))
		if err == nil {
			err = json.Unmarshal(b, &e)
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", e.dir, err)
		}
		if e.Server == server {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b spooled) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.dir, b.dir)) })
	return all, nil
}

// rejectedDir is where builds are put that the server does not take.
const rejectedDir = "rejected"

// flusher sends what was kept.
type flusher struct {
	cache  cache
	client *client.Client
	log    io.Writer
}

// flush sends all that is kept for the server. It stops where the server does not
// answer; what it refuses is put aside. It returns how many builds were sent.
func (f *flusher) flush(ctx context.Context) (sent, refused int, err error) {
	all, err := f.cache.spooled(f.client.URL)
	if err != nil {
		return 0, 0, err
	}
	for i := range all {
		e := &all[i]
		judged, err := f.send(ctx, e)
		rejected, isRejected := errors.AsType[*client.RejectedError](err)
		switch {
		case isRejected && rejected.Status != 401 && rejected.Status != 403: // a wrong token is nothing about the report
			fmt.Fprintf(f.log, "kept reports of %s (%s): %v\n", e.Product, e.At.Format(time.RFC3339), err)
			refused++
			if err := f.putAside(e); err != nil {
				return sent, refused, err
			}
			continue
		case err != nil:
			return sent, refused, err
		}
		sent++
		f.tell(e, judged)
		if err := os.RemoveAll(e.dir); err != nil {
			return sent, refused, err
		}
	}
	return sent, refused, nil
}

// send uploads a build's reports, and asks for the verdict that was wanted.
func (f *flusher) send(ctx context.Context, e *spooled) (*client.Judged, error) {
	var engagement int64
	for _, r := range e.Reports {
		path := filepath.Join(e.dir, filepath.Base(r.File))
		imported, err := f.client.Reimport(ctx, client.Upload{
			Name: r.Name, Size: r.Size, Fields: r.Fields, IdempotencyKey: r.Key, Open: func() (io.ReadCloser, error) { return os.Open(path) },
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		engagement = imported.EngagementID
	}
	if e.Question == nil || engagement == 0 {
		return nil, nil //nolint:nilnil // nobody asked for a verdict
	}
	q := *e.Question
	q.Engagement = engagement
	j, err := f.client.Judge(ctx, q)
	return &j, err
}

// tell says what became of a build that was sent later, loudly where the server
// judges it otherwise.
func (f *flusher) tell(e *spooled, j *client.Judged) {
	what := e.Product
	if q := e.Question; q != nil {
		what = strings.Join(strings.Fields(what+" "+q.Branch+" "+short(q.Commit)), " ")
	}
	switch {
	case j == nil:
		fmt.Fprintf(f.log, "sent what was kept of %s\n", what)
	case e.Provisional == nil:
		fmt.Fprintf(f.log, "sent what was kept of %s: the server says %s (exit code %d)\n  %s\n", what, strings.ToUpper(string(j.Verdict.Overall)), j.Verdict.Exit, j.URL)
	case e.Provisional.Overall == j.Verdict.Overall && e.Provisional.Exit == j.Verdict.Exit:
		fmt.Fprintf(f.log, "sent what was kept of %s: the server judges it as was judged here, %s\n", what, strings.ToUpper(string(j.Verdict.Overall)))
	default:
		line := strings.Repeat("!", 72)
		fmt.Fprintf(f.log, "%s\nTHE SERVER JUDGES OTHERWISE than was judged without it:\n  %s, %s\n  here:   %s (exit code %d)\n", line, what, e.At.Format(time.RFC3339),
			strings.ToUpper(string(e.Provisional.Overall)), e.Provisional.Exit)
		fmt.Fprintf(f.log, "  server: %s (exit code %d)\n", strings.ToUpper(string(j.Verdict.Overall)), j.Verdict.Exit)
		for _, w := range j.Verdict.Why {
			fmt.Fprintf(f.log, "          %s\n", w)
		}
		fmt.Fprintf(f.log, "  %s\n%s\n", j.URL, line)
	}
}

func short(commit string) string { return commit[:min(len(commit), 8)] }

// putAside moves a build that the server does not take out of the way.
func (f *flusher) putAside(e *spooled) error {
	dir := filepath.Join(f.cache.spoolDir(), rejectedDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Rename(e.dir, filepath.Join(dir, filepath.Base(e.dir)))
}

// flushBefore sends what was kept before a new upload: the older goes first. What
// comes of it does not touch the new build.
func (s *session) flushBefore(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.cmd.Timeout/2)
	defer cancel()
	one := *s.client
	one.Tries = 1 // whether it answers, the new upload will find out
	f := flusher{s.cache, &one, s.log}
	if _, _, err := f.flush(ctx); err != nil {
		fmt.Fprintf(s.log, "what was kept before is still to be sent: %v\n", err)
	}
}

// flushCmd sends what was kept while the server did not answer.
type flushCmd struct {
	serverFlags `embed:""`
	cacheFlags  `embed:""`
}

// Help describes the command.
func (flushCmd) Help() string {
	return `Sends the reports that uploads with --on-unreachable=local or =pass have kept, and says where the server
judges a build otherwise than was judged without it.

Exit codes: 0 all was sent, or there was nothing; 4 the server refused some, which are put aside in
spool/rejected; 5 the server does not answer.`
}

// Run runs the command.
func (c *flushCmd) Run(ctx context.Context, t terminal) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	cl, err := c.proven(ctx, t)
	if err != nil {
		return err
	}
	f := flusher{c.cache(), cl, t.stderr}
	sent, refused, err := f.flush(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%d sent, %d refused\n", sent, refused)
	if refused > 0 {
		return exitError{gate.ExitRejected}
	}
	return nil
}
