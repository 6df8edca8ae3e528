package notification

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// ofEngagement tells of an engagement that was closed or opened. One that closed
// by itself is told its lead, if it has one.
func ofEngagement(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	event := map[string]string{"closed": EngagementClosed, "reopened": "engagement_reopened", "auto_closed": AutoCloseEngagement}[e.Action]
	if event == "" {
		return Notice{}, nil
	}
	n, place, err := at(ctx, s, e, event, fmt.Sprintf("engagement:%s:%d:%d", e.Action, e.EngagementID, e.At.UnixMicro()))
	if err != nil {
		return n, err
	}
	n.Title = "Engagement " + e.Action + ": " + place.Engagement
	n.Description = by(n.Actor, "The engagement "+place.Engagement+" of "+place.Product+" was "+e.Action)
	n.Path = fmt.Sprintf("/findings?engagement=%d", e.EngagementID)
	if e.Action != "auto_closed" {
		return n, nil
	}
	n.Title = "Engagement closed by itself: " + place.Engagement
	n.Description = "The engagement " + place.Engagement + " of " + place.Product + " was past its end, and has been closed"
	if place.EngagementLead != nil {
		n.Only, n.To = true, []int64{*place.EngagementLead}
	}
	return n, nil
}

// deletions are what is told of things that are gone, as DefectDojo calls it.
// It tells of no other: a webhook's removal is nobody's news.
var deletions = map[string]struct{ event, page string }{
	"product_type": {"product_type_deleted", "/products"}, "product": {"product_deleted", "/products"},
	"engagement": {"engagement_deleted", "/products/%d"}, "test": {"test_deleted", "/products/%d"}, "finding": {"finding_deleted", "/findings?product=%d"},
}

func ofDeleted(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	what, told := deletions[e.Action]
	if !told {
		return Notice{}, nil
	}
	n, place, err := at(ctx, s, e, what.event, fmt.Sprintf("deleted:%s:%s:%d:%d", e.Action, e.Title, e.ActorID, e.At.UnixMicro()))
	if err != nil {
		return n, err
	}
	kind := strings.ReplaceAll(e.Action, "_", " ")
	n.Title, n.Path = "Deletion of "+e.Title, what.page
	if strings.Contains(what.page, "%d") {
		n.Path = fmt.Sprintf(what.page, e.ProductID)
	}
	said := "The " + kind + " " + e.Title
	if place.Product != "" {
		said += " of " + place.Product
	}
	n.Description = by(n.Actor, said+" was deleted")
	if e.ProductTypeID != 0 && n.ProductType == nil {
		t, err := s.ProductType(ctx, gate.Scope{All: true}, e.ProductTypeID)
		if err != nil {
			return n, err
		}
		n.ProductType = &Ref{t.ID, t.Name}
	}
	return n, nil
}

// ofTicket tells that JIRA does not take a ticket or does not answer, or what
// somebody wrote there. What has been put right by now is no news.
func ofTicket(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	if e.Action == gate.TicketOutage {
		return ofOutage(ctx, s, e)
	}
	t, err := s.TicketNews(ctx, e.TicketID)
	if err != nil {
		return Notice{}, err
	}
	event, key := JiraUpdate, fmt.Sprintf("ticket:%d:%d", e.TicketID, e.At.UnixMicro())
	if e.Action == gate.TicketCommented {
		event, key = "jira_comment", fmt.Sprintf("ticket-note:%d", e.NoteID)
	} else if t.Error == "" {
		return Notice{}, nil
	}
	n, place, err := at(ctx, s, e, event, key)
	if err != nil {
		return n, err
	}
	n.Path = fmt.Sprintf("/findings?engagement=%d", e.EngagementID)
	about := place.Engagement
	if t.Title != "" {
		about = t.Title
	}
	if t.FindingID != 0 {
		n.Finding, n.Severity, n.Path = &Item{t.FindingID, t.Title, t.Severity}, &t.Severity, fmt.Sprintf("/findings/%d", t.FindingID)
	}
	if e.Action != gate.TicketCommented {
		n.Title, n.Description = "JIRA does not take the ticket of "+about, t.Error
		return n, nil
	}
	note, err := s.NotedFinding(ctx, e.NoteID)
	if err != nil {
		return n, err
	}
	n.Title, n.Description = "JIRA: a comment on "+t.Key+", "+about, clip(note.Entry, 200)
	return n, nil
}

// ofOutage tells, once for each, that an instance of JIRA does not answer.
func ofOutage(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	o, err := s.JIRAOutage(ctx, e.ConnectionID)
	if err != nil || o.Failures == 0 {
		return Notice{}, err
	}
	since := int64(0)
	said := "It has never answered"
	if o.LastOK != nil {
		since, said = o.LastOK.UnixMicro(), "It last answered on "+o.LastOK.UTC().Format(time.RFC1123)
	}
	return Notice{
		Event: JiraUpdate, Key: fmt.Sprintf("jira-outage:%d:%d", o.InstanceID, since), At: e.At,
		Title: "JIRA does not answer: " + o.Name, Path: "/integrations/jira/" + strconv.FormatInt(o.InstanceID, 10),
		Description: fmt.Sprintf("%s; %d tickets wait and nothing is lost: they are tried until it does. %s", said, o.Waiting, o.LastError),
	}, nil
}
