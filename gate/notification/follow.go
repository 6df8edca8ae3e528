package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// Follow plans what is told of an event. It is a jobs.Follower.
func (n *Notifier) Follow(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	s := store.In(tx)
	notices, err := about(ctx, s, e)
	if gate.KindOf(err) == gate.NotFound {
		return nil // it is gone by now
	}
	if err != nil {
		return fmt.Errorf("tell of %s: %w", e.Kind, err)
	}
	for _, notice := range notices {
		if err := n.Tell(ctx, tx, notice); err != nil {
			return fmt.Errorf("tell of %s: %w", notice.Key, err)
		}
	}
	return nil
}

// Tell plans one notice: whom it goes to, and a job for each. One that was told
// before is not told again.
func (n *Notifier) Tell(ctx context.Context, tx pgx.Tx, notice Notice) error {
	s := store.In(tx)
	document, err := json.Marshal(notice)
	if err != nil {
		return err
	}
	id, err := s.AddNotice(ctx, store.Notice{Key: notice.Key, Event: notice.Event, At: notice.At, ProductID: notice.productID(), Document: document})
	if err != nil || id == 0 {
		return err
	}
	p, err := n.planning(ctx, tx, notice, id)
	if err != nil {
		return err
	}
	for _, d := range Route(notice, p.directory, p.open) {
		if err := p.deliver(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", d.Channel, err)
		}
	}
	return p.tellOwners(ctx)
}

// about returns what is told of an event.
func about(ctx context.Context, s *store.Store, e gate.Event) ([]Notice, error) {
	one := func(n Notice, err error) ([]Notice, error) {
		if err != nil || n.Event == "" {
			return nil, err
		}
		return []Notice{n}, nil
	}
	switch e.Kind {
	case gate.EventImport:
		return one(ofImport(ctx, s, e))
	case gate.EventVerdict:
		return one(ofVerdict(ctx, s, e))
	case gate.EventTriage:
		return one(ofTriage(ctx, s, e))
	case gate.EventNote:
		return one(ofNote(ctx, s, e))
	case gate.EventWaiver:
		return one(ofWaiver(ctx, s, e))
	case gate.EventCreated:
		return one(ofCreated(ctx, s, e))
	case gate.EventEngagement:
		return one(ofEngagement(ctx, s, e))
	case gate.EventDeleted:
		return one(ofDeleted(ctx, s, e))
	case gate.EventTicket:
		return one(ofTicket(ctx, s, e))
	}
	return nil, nil
}

// at returns a notice of something that happened in a place. Where the event
// names no product, it has none.
func at(ctx context.Context, s *store.Store, e gate.Event, event, key string) (Notice, store.NoticePlace, error) {
	n := Notice{Event: event, Key: key, At: e.At}
	var place store.NoticePlace
	var err error
	if e.ProductID != 0 {
		if place, err = s.NoticePlace(ctx, e.ProductID, e.EngagementID, e.TestID); err != nil {
			return n, place, err
		}
		n.in(place)
	}
	if e.ActorID != 0 {
		people, err := people(ctx, s, []int64{e.ActorID})
		if err != nil {
			return n, place, err
		}
		if len(people) == 1 {
			n.Actor = &people[0]
		}
	}
	return n, place, nil
}

// in says where a notice's event happened.
func (n *Notice) in(p store.NoticePlace) {
	n.ProductType, n.Product = &Ref{p.ProductTypeID, p.ProductType}, &Ref{p.ProductID, p.Product}
	n.Tags, n.Branch = p.Tags, p.Branch
	if p.EngagementID != 0 {
		n.Engagement = &Ref{p.EngagementID, p.Engagement}
	}
	if p.TestID != 0 {
		n.Test = &Ref{p.TestID, p.Test}
	}
}

func people(ctx context.Context, s *store.Store, ids []int64) ([]Person, error) {
	contacts, err := s.Contacts(ctx, ids)
	var out []Person
	for _, c := range contacts {
		out = append(out, Person{c.ID, c.Username, c.Email, c.FirstName, c.LastName})
	}
	return out, err
}

// shown is how many findings of each sort a notice names.
const shown = 25

func ofImport(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	record, actions, err := s.ImportedRecord(ctx, e.ImportID)
	if err != nil || record.State != "done" {
		return Notice{}, err
	}
	if record.UserID != nil {
		e.ActorID = *record.UserID
	}
	n, place, err := at(ctx, s, e, ScanAdded, fmt.Sprintf("import:%d", e.ImportID))
	if err != nil {
		return n, err
	}
	n.Import, n.Counts, n.Findings = e.ImportID, map[string]int{}, map[string][]Item{}
	if record.Branch != "" {
		n.Branch = record.Branch
	}
	for _, a := range []struct{ action, name string }{{"N", "new"}, {"R", "reactivated"}, {"C", "mitigated"}, {"U", "untouched"}} {
		ids := actions[a.action]
		n.Counts[a.name] = len(ids)
		found, err := s.NoticeFindings(ctx, ids, shown)
		if err != nil {
			return n, err
		}
		n.Findings[a.name] = items(found)
		if a.action == "N" || a.action == "R" {
			n.worst(found)
		}
	}
	n.Count = n.Counts["new"] + n.Counts["reactivated"] + n.Counts["mitigated"]
	n.Path = fmt.Sprintf("/findings?test=%d", place.TestID)
	n.Title = fmt.Sprintf("Created/Updated %d findings for %s: %s: %s", n.Count, place.Product, place.Engagement, place.Test)
	n.Description = fmt.Sprintf("%d new, %d reactivated, %d closed, %d untouched by %s", n.Counts["new"], n.Counts["reactivated"], n.Counts["mitigated"], n.Counts["untouched"], record.ScanType)
	if n.Count == 0 {
		n.Event = ScanAddedEmpty
	}
	return n, nil
}

// worst raises a notice's severity to that of the worst of some findings, which come first.
func (n *Notice) worst(found []store.NoticeFinding) {
	if len(found) > 0 && (n.Severity == nil || *n.Severity < found[0].Severity) {
		n.Severity = &found[0].Severity
	}
}

func items(found []store.NoticeFinding) []Item {
	out := make([]Item, len(found))
	for i, f := range found {
		out[i] = Item{f.ID, f.Title, f.Severity}
	}
	return out
}

// ofVerdict tells only of a verdict that says other than the one before it.
func ofVerdict(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	v, err := s.VerdictTurn(ctx, e.VerdictID)
	if err != nil || v.Before == v.Overall || v.Before == "" && v.Overall == string(gate.Pass) {
		return Notice{}, err
	}
	n, place, err := at(ctx, s, e, VerdictChanged, fmt.Sprintf("verdict:%d", e.VerdictID))
	if v.Branch != "" {
		n.Branch = v.Branch
	}
	n.Verdict = &VerdictNews{ID: v.ID, Overall: v.Overall, Before: v.Before, Conclusive: v.Conclusive, Why: v.Why[:min(len(v.Why), 10)]}
	n.Path = fmt.Sprintf("/verdicts/%d", v.ID)
	n.Title = fmt.Sprintf("The gate says %s for %s", v.Overall, place.Product)
	if n.Branch != "" {
		n.Title += " " + n.Branch
	}
	n.Description = strings.Join(n.Verdict.Why, "\n")
	return n, err
}

// triages are the changes of findings that are told, as DefectDojo calls them.
var triages = map[string]struct{ event, done string }{
	"add": {"finding_added", "added"}, "close": {"finding_closed", "closed"}, "false_positive": {"finding_closed", "dismissed as false positive"},
	"out_of_scope": {"finding_closed", "put out of scope"}, "reopen": {"finding_reopened", "reopened"}, "request_review": {ReviewRequested, ""},
}

func ofTriage(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	what, told := triages[e.Action]
	if !told || len(e.FindingIDs) == 0 {
		return Notice{}, nil
	}
	found, err := s.NoticeFindings(ctx, e.FindingIDs, shown)
	if err != nil || len(found) == 0 {
		return Notice{}, err
	}
	key := fmt.Sprintf("triage:%s:%d:%d:%d", e.Action, e.At.UnixMicro(), e.ActorID, slices.Min(e.FindingIDs))
	n, _, err := at(ctx, s, e, what.event, key)
	if err != nil {
		return n, err
	}
	n.worst(found)
	n.Count, n.Findings, n.Path = len(e.FindingIDs), map[string][]Item{"findings": items(found)}, "/findings?status=any&product="+strconv.FormatInt(e.ProductID, 10)
	n.Title = fmt.Sprintf("%d findings %s", n.Count, what.done)
	if n.Count == 1 {
		n.Finding, n.Path = &n.Findings["findings"][0], fmt.Sprintf("/findings/%d", found[0].ID)
		n.Title = fmt.Sprintf("Finding %s: %s", what.done, found[0].Title)
	}
	n.Description = by(n.Actor, n.Title)
	if what.event != ReviewRequested {
		return n, nil
	}
	f, err := s.Finding(ctx, gate.Scope{All: true}, found[0].ID)
	if err != nil {
		return n, err
	}
	n.Only, n.To, n.RequestedBy = true, f.Reviewers, n.Actor
	n.Title = "Review requested: " + found[0].Title
	n.Description = by(n.Actor, "asks you to look at "+found[0].Title)
	n.Reviewers, err = people(ctx, s, f.Reviewers)
	return n, err
}

func by(p *Person, text string) string {
	if p == nil {
		return text
	}
	return p.Username + ": " + text
}

func ofCreated(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	switch e.Action {
	case "product_type":
		n, _, err := at(ctx, s, e, ProductTypeAdded, fmt.Sprintf("product_type:%d", e.ProductTypeID))
		if err != nil {
			return n, err
		}
		t, err := s.ProductType(ctx, gate.Scope{All: true}, e.ProductTypeID)
		n.ProductType, n.Title, n.Path = &Ref{t.ID, t.Name}, t.Name, fmt.Sprintf("/products?type=%d", t.ID)
		n.Description = "The product type " + t.Name + " was added"
		return n, err
	case "product":
		n, place, err := at(ctx, s, e, ProductAdded, fmt.Sprintf("product:%d", e.ProductID))
		n.Title, n.Path = place.Product, fmt.Sprintf("/products/%d", e.ProductID)
		n.Description = "The product " + place.Product + " was added"
		return n, err
	case "engagement":
		n, place, err := at(ctx, s, e, EngagementAdded, fmt.Sprintf("engagement:%d", e.EngagementID))
		n.Title, n.Path = "Engagement created for "+place.Product+": "+place.Engagement, fmt.Sprintf("/findings?engagement=%d", e.EngagementID)
		n.Description = "The engagement " + place.Engagement + " was added to " + place.Product
		return n, err
	case "test":
		n, place, err := at(ctx, s, e, TestAdded, fmt.Sprintf("test:%d", e.TestID))
		n.Title, n.Path = "Test created for "+place.Product+": "+place.Engagement+": "+place.Test, fmt.Sprintf("/findings?test=%d", e.TestID)
		n.Description = "The test " + place.Test + " was added to " + place.Engagement
		return n, err
	}
	return Notice{}, nil
}

func ofWaiver(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	w, err := s.WaiverNews(ctx, e.WaiverID)
	if err != nil {
		return Notice{}, err
	}
	e.ProductID = w.ProductID
	n, place, err := at(ctx, s, e, WaiverChanged, fmt.Sprintf("waiver:%d:%s:%d:%d", e.WaiverID, e.Action, e.ActorID, e.At.UnixMicro()))
	n.Title = fmt.Sprintf("Waiver %s %s", w.Name, e.Action)
	n.Description = by(n.Actor, n.Title+" for "+place.Product)
	n.Path = "/products/" + strconv.FormatInt(w.ProductID, 10)
	return n, err
}
