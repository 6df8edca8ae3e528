package tracker

import (
	"context"
	"slices"
	"strings"

	"defectdojo/gate/store"
	"defectdojo/integrations/jira"
)

// Step is something that would be done.
type Step struct {
	Do   string `json:"do"` // create, close, reopen, update, label, comment, …
	What string `json:"what"`
}

// Planned is what would be done about one ticket.
type Planned struct {
	Ticket   int64  `json:"ticket"`            // 0: there is none yet
	Finding  int64  `json:"finding,omitempty"` // or the group, or the engagement
	Group    int64  `json:"finding_group,omitempty"`
	Epic     int64  `json:"engagement,omitempty"`
	Title    string `json:"title"`
	Severity string `json:"severity,omitempty"`
	Key      string `json:"jira_key,omitempty"`
	State    string `json:"state"`
	Claim    string `json:"claim,omitempty"`
	Status   string `json:"jira_status,omitempty"`
	Error    string `json:"error,omitempty"`
	Steps    []Step `json:"steps"`
	Why      string `json:"why,omitempty"` // nothing is done
}

// Plan is what a project's tickets would see, were a worker at them now.
type Plan struct {
	Project int64     `json:"jira_project"`
	Asked   bool      `json:"asked"` // as if somebody pushed everything
	Live    bool      `json:"live"`  // JIRA was asked; otherwise it is what it last told
	Error   string    `json:"error,omitempty"`
	Tickets []Planned `json:"tickets"`
	Changes int       `json:"changes"` // steps in all
}

// planMax is how many findings a plan is made of.
const planMax = 500

// Plan says what would be done about a project's tickets and about the findings
// that would get one, without doing it. asked makes it of a push by hand.
func (t *Tracker) Plan(ctx context.Context, p store.JIRAProject, asked bool) (Plan, error) {
	plan := Plan{Project: p.ID, Asked: asked, Tickets: []Planned{}}
	if p.JIRAInstanceID == nil {
		plan.Error = "the project names no JIRA instance"
		return plan, nil
	}
	inst, err := t.Store.JIRAInstance(ctx, *p.JIRAInstanceID)
	if err != nil {
		return plan, err
	}
	tickets, err := t.Store.PlanTickets(ctx, p, planMax)
	if err != nil {
		return plan, err
	}
	live, err := t.live(ctx, inst, tickets)
	if plan.Live = err == nil; err != nil {
		plan.Error = err.Error()
	}
	for _, k := range tickets {
		one, err := t.plan(ctx, inst, p, k, live, asked)
		if err != nil {
			return plan, err
		}
		plan.Changes += len(one.Steps)
		plan.Tickets = append(plan.Tickets, one)
	}
	return plan, nil
}

// live asks JIRA for the issues of tickets, many at a time.
func (t *Tracker) live(ctx context.Context, inst store.JIRAInstance, tickets []store.Ticket) (map[string]jira.Issue, error) {
	out := map[string]jira.Issue{}
	c, err := t.client(ctx, inst)
	if err != nil {
		return out, err
	}
	var ids []string
	for _, k := range tickets {
		if k.State == store.TicketLinked {
			ids = append(ids, k.JIRAID)
		}
	}
	for batch := range slices.Chunk(ids, 50) {
		found, err := c.Search(ctx, jira.WithKeys(batch...), len(batch))
		if err != nil {
			return out, err
		}
		for _, i := range found {
			out[i.ID] = i
		}
	}
	return out, nil
}

// plan says what would be done about one ticket.
func (t *Tracker) plan(ctx context.Context, inst store.JIRAInstance, p store.JIRAProject, k store.Ticket, live map[string]jira.Issue, asked bool) (Planned, error) {
	s := &session{Tracker: t, inst: inst, k: k, p: p}
	var err error
	if s.subject, err = t.Store.TicketSubject(ctx, k); err != nil {
		return Planned{}, err
	}
	out := s.planned()
	switch k.State {
	case store.TicketLinked:
		issue, there := live[k.JIRAID]
		if !there {
			issue = jira.Issue{Key: jira.Key{ID: k.JIRAID, Key: k.JIRAKey}, Status: k.JIRAStatus, Resolution: k.JIRAResolution, Done: k.AgreedDone}
		}
		err = s.planLinked(ctx, &out, issue)
	case store.TicketSending, store.TicketUnknown:
		out.Steps = append(out.Steps, Step{"search", "it may have been made: search for the label " + label(k.IntentID)})
	case store.TicketGone:
		out.Why = "JIRA has it no more; a push by hand makes a new one"
	default:
		s.k.Asked = s.k.Asked || asked
		if out.Why = s.whyNot(); out.Why == "" {
			out.Steps = append(out.Steps, Step{"create", inst.DefaultIssueType + " in " + p.ProjectKey + ", priority " + inst.Priority(s.worst())})
		}
	}
	if len(out.Steps) == 0 && out.Why == "" {
		out.Why = "in step"
	}
	return out, err
}

func (s *session) planned() Planned {
	k := s.k
	out := Planned{Ticket: k.ID, Title: s.summary(), Key: k.JIRAKey, State: string(k.State), Claim: k.Claim, Status: k.JIRAStatus, Error: k.Error, Steps: []Step{}}
	if k.FindingID != nil {
		out.Finding = *k.FindingID
	}
	if k.GroupID != nil {
		out.Group = *k.GroupID
	}
	if k.EngagementID != nil {
		out.Epic = *k.EngagementID
	}
	if len(s.subject.Findings) > 0 {
		out.Severity = s.worst().String()
	}
	return out
}

func (s *session) planLinked(ctx context.Context, out *Planned, issue jira.Issue) error {
	v, _, err := s.look(ctx, issue)
	if err != nil {
		return err
	}
	d := merge(v)
	out.Status = issue.Status
	add := func(do, what string) { out.Steps = append(out.Steps, Step{do, what}) }
	if d.Claim != v.Claim && d.Claim != "" {
		add("claim", "closed in JIRA: "+strings.ReplaceAll(string(d.Claim), "_", " "))
	}
	if d.Act != nothing {
		add(string(d.Act), "the finding, because of "+issue.Key.Key)
	}
	if d.Move {
		add(map[bool]string{true: "close", false: "reopen"}[d.Agreed], issue.Key.Key)
	}
	if d.Say != silence {
		add("comment", string(d.Say))
	}
	if typ, known := s.knownType(); known && s.kind() != anOrphan {
		w, err := s.wantOf(ctx, typ)
		if err != nil {
			return err
		}
		if !slices.Equal(w.digest(), s.k.Pushed) {
			add("update", "summary, description, due date")
		}
	}
	unsaid, err := s.Store.UnsaidComments(ctx, s.k.ID)
	for _, u := range unsaid {
		add("comment", u.Key)
	}
	return err
}

// knownType returns the issue's type if a worker has asked for it lately.
func (s *session) knownType() (jira.Type, bool) {
	name := s.inst.DefaultIssueType
	if s.kind() == anEpic {
		name = s.p.EpicIssueTypeName
	}
	v, ok := s.types.Load(typeKey{s.inst.ID, s.p.ProjectKey, name})
	if !ok {
		return jira.Type{}, false
	}
	return v.(cachedType).Type, true //nolint:forcetypeassert // nothing else is in it
}
