// Package outbound tells foreign systems of verdicts. What should be at a place
// is noted in the transaction of the event that it follows; a job then writes it
// there, under a lease, and notes what it wrote: so it is written once, the same
// is not written again, and nothing older ever replaces what is newer.
package outbound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/policies/render"
)

// The kinds of places.
const (
	AtCommit = "status"  // a check or status of a commit
	AtPull   = "comment" // the comment of a pull request
	AsReport = "report"  // the code host's own list of findings
)

// How long a writer may take, and how long others leave it alone: longer. When a
// node dies while it writes, another goes on after that time.
const (
	writeTime = time.Minute
	leaseTime = 90 * time.Second
	takenWait = 2 * time.Second
)

// send is the body of a job that writes.
type send struct {
	Publication  int64 `json:"publication"`
	RepositoryID int64 `json:"repository"`
}

// want notes what should be at a place, and has it written.
func want(ctx context.Context, tx pgx.Tx, p store.Publication, channel string, enqueue func(context.Context, pgx.Tx, jobs.Send) error) error {
	id, err := store.In(tx).Publish(ctx, p)
	if err != nil || id == 0 {
		return err
	}
	return enqueue(ctx, tx, jobs.Send{Channel: channel, Body: send{id, p.RepositoryID}})
}

var commitPattern = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// places returns the parts of repositories at which a verdict is to be told: of
// its product, and with its repository's name if it has one. A commit that is
// named by no repository is told where there is only one.
func places(parts []store.Repository, s gate.Subject) []store.Repository {
	var out []store.Repository
	for _, r := range parts {
		if (s.Repository == "" || strings.EqualFold(s.Repository, r.FullName)) && r.Component == s.Component {
			out = append(out, r)
		}
	}
	if s.Repository == "" && len(out) > 1 {
		return nil
	}
	return out
}

// contextName is what a check or status is called: fixed, so that a branch can require it.
func contextName(product, component string) string {
	if component != "" {
		return "gate/" + product + "/" + component
	}
	return "gate/" + product
}

// text is what is said of a verdict.
type text struct {
	title   string
	summary string // Markdown
	digest  string // of what it says, leaving out what changes with each verdict
}

// tell words a verdict.
func tell(v *gate.Verdict) (text, error) {
	var full, plain bytes.Buffer
	if err := render.Markdown(&full, v); err != nil {
		return text{}, err
	}
	timeless := *v
	timeless.ID, timeless.ValidUntil, timeless.DecidedAt = "", time.Time{}, time.Time{}
	if err := render.Markdown(&plain, &timeless); err != nil {
		return text{}, err
	}
	return text{headline(v), full.String(), plain.String()}, nil
}

// headline says a verdict in one line.
func headline(v *gate.Verdict) string {
	word := map[gate.Decision]string{gate.Pass: "Passed", gate.Warn: "Passed with warnings", gate.Fail: "Failed"}[v.Overall]
	if v.Overall == gate.Fail && !v.Conclusive {
		word = "Could not be decided"
	}
	if len(v.Why) > 0 {
		word += ": " + v.Why[0]
	}
	return word
}

// digest is of anything that is to be written.
func digest(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

// verdictURL is where people see a verdict.
func verdictURL(site string, id int64) string {
	return strings.TrimSuffix(site, "/") + "/verdicts/" + strconv.FormatInt(id, 10)
}

// errTaken says that another writer is at the same place.
func errTaken(system string) error {
	return &integrations.Error{System: system, Op: "write", After: takenWait, Err: errors.New("another job writes there just now")}
}

// untouched tells whether an error says that certainly nothing was written.
func untouched(err error) bool {
	e, ok := errors.AsType[*integrations.Error](err)
	return ok && !e.Unknown
}

func external(p store.Publication) string {
	if p.State == store.PublishVerdict && p.VerdictID != nil {
		return fmt.Sprintf("gate-%d-%d", p.ID, *p.VerdictID)
	}
	return fmt.Sprintf("gate-%d-%s-%d", p.ID, p.State, p.Sequence)
}
