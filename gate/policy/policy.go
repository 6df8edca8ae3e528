// Package policy keeps the gate's policies on the server: each change is a new
// version, none is ever overwritten, and the history says who and when. Who may
// do what, the caller has asked.
package policy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// Desk changes policies.
type Desk struct {
	Store *store.Store

	// Tell tells of a change, in its transaction: verdicts are judged again. Nil:
	// nobody is told.
	Tell func(ctx context.Context, tx pgx.Tx, e gate.Event) error
}

// Actor is who changes something, when, and from where.
type Actor struct {
	Who       gate.Principal
	Now       time.Time
	RequestID string
	IP        string
}

// New is a policy to be added.
type New struct {
	Name      string // for a text that does not say its own
	ProductID *int64 // nil: for every product
	Source    string
	Comment   string
	Disabled  bool
}

// nameForm is what a policy may be called: it stands in addresses and messages.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$`)

// Add adds a policy. Its error is policies.Problems if the text is wrong.
func (d *Desk) Add(ctx context.Context, a Actor, n New) (store.Policy, error) {
	p, err := parse(n.Name, n.Source)
	if err != nil {
		return store.Policy{}, err
	}
	return d.change(ctx, a, func(s *store.Store) (int64, store.AuditEvent, error) {
		id, err := s.AddPolicy(ctx, p.Name, n.ProductID, !n.Disabled, a.Now)
		if err != nil {
			return 0, store.AuditEvent{}, err
		}
		version, err := s.AddPolicyVersion(ctx, version(id, a, n.Source, n.Comment))
		return id, store.AuditEvent{Action: "add", ProductID: n.ProductID, Changes: map[string]any{"name": p.Name, "version": version, "digest": p.Digest}}, err
	})
}

// parse reads a policy's text as that of the server.
func parse(name, source string) (*policies.Policy, error) {
	p, err := policies.Parse(name, policies.FromServer, []byte(source))
	if err != nil {
		return nil, err
	}
	if !nameForm.MatchString(p.Name) {
		return nil, policies.Problems{{File: name, Line: 1, Column: 1, Path: "metadata.name", Message: "needs a name of letters, digits, and . _ - between them, of at most 100 characters"}}
	}
	return p, nil
}

func version(policy int64, a Actor, source, comment string) store.NewPolicyVersion {
	sum := sha256.Sum256([]byte(source))
	return store.NewPolicyVersion{PolicyID: policy, Source: source, Digest: sum[:], AuthorID: a.Who.User.ID, Comment: comment, Now: a.Now}
}

// Edit is a policy as somebody wants it to be. Nil leaves what is there.
type Edit struct {
	Version int // that they have changed; another one since is a Conflict. 0: whatever is there
	Source  *string
	Comment string
	Enabled *bool
}

// Edit changes a policy: a new text is a new version. Its error is
// policies.Problems if the text is wrong.
func (d *Desk) Edit(ctx context.Context, a Actor, before store.Policy, e Edit) (store.Policy, error) {
	if e.Source != nil {
		p, err := parse(before.Name, *e.Source)
		if err != nil {
			return before, err
		}
		if p.Name != before.Name {
			return before, policies.Problems{{File: before.Name, Line: 1, Column: 1, Path: "metadata.name", Message: "is " + p.Name + ", and the policy's name is " + before.Name +
				": a policy keeps its name, so that verdicts can be compared; make a new one"}}
		}
	}
	return d.change(ctx, a, func(s *store.Store) (int64, store.AuditEvent, error) {
		event := store.AuditEvent{Action: "edit", ProductID: before.ProductID, Changes: map[string]any{}}
		if err := s.Lock(ctx, "policy", before.ID); err != nil {
			return 0, event, err
		}
		now, err := s.Policy(ctx, gate.Scope{All: true}, before.ID)
		if err != nil {
			return 0, event, err
		}
		if e.Version != 0 && e.Version != now.Version {
			return 0, event, gate.Errorf(gate.Conflict, "%s has changed meanwhile: it is at version %d, by %s, and this edit is of version %d", now.Name, now.Version, now.Author, e.Version)
		}
		return before.ID, event, d.edit(ctx, s, a, now, e, event.Changes)
	})
}

// edit writes what differs, and notes it.
func (d *Desk) edit(ctx context.Context, s *store.Store, a Actor, now store.Policy, e Edit, changes map[string]any) error {
	if e.Source != nil && !bytes.Equal([]byte(*e.Source), []byte(now.Source)) {
		n, err := s.AddPolicyVersion(ctx, version(now.ID, a, *e.Source, e.Comment))
		if err != nil {
			return err
		}
		changes["version"] = [2]int{now.Version, n}
	}
	if e.Enabled != nil && *e.Enabled != now.Enabled {
		changes["enabled"] = [2]bool{now.Enabled, *e.Enabled}
		return s.SetPolicyEnabled(ctx, now.ID, *e.Enabled, a.Now)
	}
	return nil
}

// Delete takes a policy away. Verdicts that it gave stay as they are.
func (d *Desk) Delete(ctx context.Context, a Actor, p store.Policy) error {
	_, err := d.change(ctx, a, func(s *store.Store) (int64, store.AuditEvent, error) {
		return p.ID, store.AuditEvent{Action: "delete", ProductID: p.ProductID, Changes: map[string]any{"name": p.Name, "version": p.Version}}, s.DeletePolicy(ctx, p.ID, a.Now)
	})
	if gate.KindOf(err) == gate.NotFound { // it cannot be read any more
		return nil
	}
	return err
}

// change does something to a policy with its history, tells of it, and returns
// the policy as it is then.
func (d *Desk) change(ctx context.Context, a Actor, do func(s *store.Store) (int64, store.AuditEvent, error)) (store.Policy, error) {
	var id int64
	err := d.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		var e store.AuditEvent
		var err error
		if id, e, err = do(s); err != nil || len(e.Changes) == 0 {
			return err
		}
		e.At, e.ActorID, e.Actor, e.Object, e.ObjectID, e.RequestID, e.IP = a.Now, &a.Who.User.ID, a.Who.Name(), "policy", &id, a.RequestID, a.IP
		if err := s.AddAuditEvent(ctx, e); err != nil || d.Tell == nil {
			return err
		}
		told := gate.Event{Kind: gate.EventPolicy, At: a.Now, Action: e.Action, ActorID: a.Who.User.ID}
		if e.ProductID != nil {
			told.ProductID = *e.ProductID
		}
		return d.Tell(ctx, tx, told)
	})
	if err != nil {
		return store.Policy{}, err
	}
	return d.Store.Policy(ctx, gate.Scope{All: true}, id)
}
