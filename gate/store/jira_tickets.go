package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// TicketState says how far a ticket is.
type TicketState string

// The states. A ticket that is sending when nobody is at it is unknown: whoever
// was at it died.
const (
	TicketNone    TicketState = "none"    // not made yet
	TicketSending TicketState = "sending" // being made: its intent is committed, and then JIRA is asked
	TicketUnknown TicketState = "unknown" // it may have been made: a search for its intent will tell
	TicketLinked  TicketState = "linked"
	TicketFailed  TicketState = "failed" // JIRA does not want it; the error says why
	TicketGone    TicketState = "gone"   // JIRA has it no more
)

// Ticket is an issue in JIRA about a finding, a group of findings or an
// engagement, from the wish for it on. Whoever has leased it writes all but
// Asked, Wanted and Due, which are of those who want something of it.
type Ticket struct {
	ID             int64       `db:"id"`
	JIRAID         string      `db:"jira_id"`
	JIRAKey        string      `db:"jira_key"`
	ProjectID      *int64      `db:"jira_project_id"`
	FindingID      *int64      `db:"finding_id"` // none of the three: what it was about is deleted
	EngagementID   *int64      `db:"engagement_id"`
	GroupID        *int64      `db:"finding_group_id"`
	State          TicketState `db:"state"`
	IntentID       string      `db:"intent_id"` // a label of the issue
	AttemptStarted *time.Time  `db:"attempt_started"`
	JIRACreation   *time.Time  `db:"jira_creation"`
	JIRAChange     *time.Time  `db:"jira_change"`
	Asked          bool        `db:"asked"`
	Wanted         int64       `db:"wanted"`
	Due            *time.Time  `db:"due"`
	LeasedUntil    *time.Time  `db:"leased_until"`
	Attempts       int         `db:"attempts"`
	Probes         int         `db:"probes"`
	Failures       int         `db:"failures"`
	Error          string      `db:"error"`
	AgreedDone     bool        `db:"agreed_done"`
	Pushed         []byte      `db:"pushed"`
	Claim          string      `db:"claim"`
	ClaimedAt      *time.Time  `db:"claimed_at"`
	WaiverID       *int64      `db:"waiver_id"`
	JIRAStatus     string      `db:"jira_status"`
	JIRAResolution string      `db:"jira_resolution"`
	Synced         *time.Time  `db:"synced"`
}

const ticketColumns = `t.id, t.jira_id, t.jira_key, t.jira_project_id, t.finding_id, t.engagement_id, t.finding_group_id, t.state, t.intent_id, t.attempt_started,
	t.jira_creation, t.jira_change, t.asked, t.wanted, t.due, t.leased_until, t.attempts, t.probes, t.failures, t.error, t.agreed_done, t.pushed, t.claim,
	t.claimed_at, t.waiver_id, t.jira_status, t.jira_resolution, t.synced`

// Ticket returns one.
func (s *Store) Ticket(ctx context.Context, id int64) (Ticket, error) {
	return one[Ticket](ctx, s.db, "ticket", `select `+ticketColumns+` from jira_issues t where t.id = $1`, id)
}

// LeaseTicket takes a ticket of an instance that is due and that nobody is at.
// There may be none.
func (s *Store) LeaseTicket(ctx context.Context, instance int64, now, until time.Time) (Ticket, bool, error) {
	all, err := many[Ticket](ctx, s.db, `
		update jira_issues t set leased_until = $3 where t.id = (
			select d.id from jira_issues d join jira_projects p on p.id = d.jira_project_id
			where p.jira_instance_id = $1 and d.due <= $2 and (d.leased_until is null or d.leased_until <= $2)
			order by d.due, d.id limit 1 for update of d skip locked)
		returning `+ticketColumns, instance, now, until)
	if err != nil || len(all) == 0 {
		return Ticket{}, false, err
	}
	return all[0], true, nil
}

// SaveTicket writes what its lessee knows of a ticket. Conflict: the lease was lost.
func (s *Store) SaveTicket(ctx context.Context, t Ticket) error {
	tag, err := s.db.Exec(ctx, `
		update jira_issues set jira_id = @jira_id, jira_key = @jira_key, state = @state, intent_id = @intent, attempt_started = @started,
			jira_creation = @creation, jira_change = @change, attempts = @attempts, probes = @probes, failures = @failures, error = @error,
			agreed_done = @agreed, pushed = @pushed, claim = @claim, claimed_at = @claimed, waiver_id = @waiver, jira_status = @status,
			jira_resolution = @resolution, synced = @synced
		where id = @id and leased_until = @lease`, t.args())
	if err == nil && tag.RowsAffected() == 0 {
		err = gate.Errorf(gate.Conflict, "another node is at ticket %d", t.ID)
	}
	return err
}

func (t Ticket) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": t.ID, "lease": t.LeasedUntil, "jira_id": t.JIRAID, "jira_key": t.JIRAKey, "state": t.State, "intent": t.IntentID, "started": t.AttemptStarted,
		"creation": t.JIRACreation, "change": t.JIRAChange, "attempts": t.Attempts, "probes": t.Probes, "failures": t.Failures, "error": t.Error,
		"agreed": t.AgreedDone, "pushed": t.Pushed, "claim": t.Claim, "claimed": t.ClaimedAt, "waiver": t.WaiverID, "status": t.JIRAStatus,
		"resolution": t.JIRAResolution, "synced": t.Synced,
	}
}

// ReleaseTicket ends a lease. The ticket is due again at due, nil is never; at
// once, if something more was wanted of it meanwhile.
func (s *Store) ReleaseTicket(ctx context.Context, t Ticket, due *time.Time) error {
	_, err := s.db.Exec(ctx, `
		update jira_issues set leased_until = null, due = case when wanted = $3 then $4 else due end
		where id = $1 and leased_until = $2`, t.ID, t.LeasedUntil, t.Wanted, due)
	return err
}

// Wish is what is wanted of the tickets of findings. A finding in a group is
// told with its group.
type Wish struct {
	ProjectID  int64 // where new tickets go; 0: none are made
	FindingIDs []int64
	Asked      bool // somebody asks for them, whatever the project's settings
	Again      bool // also those that JIRA has no more
	Now        time.Time
}

// WantTickets notes that tickets may have something to do, makes those that are
// wanted of findings that qualify, and returns the instances that they are at.
func (s *Store) WantTickets(ctx context.Context, w Wish) ([]int64, error) {
	if w.ProjectID != 0 {
		if _, err := s.db.Exec(ctx, `
			with wanted as (
				select distinct case when m.group_id is null then f.id end as finding, m.group_id
				from findings f join jira_projects p on p.id = $2 left join finding_group_members m on m.finding_id = f.id
				where f.id = any($1) and f.active and not f.duplicate and f.severity >= p.minimum_severity and (f.verified or not p.only_verified)
			)
			insert into jira_issues (finding_id, finding_group_id, jira_project_id)
			select finding, group_id, $2 from wanted order by 1, 2 on conflict do nothing`, orEmpty(w.FindingIDs), w.ProjectID); err != nil {
			return nil, err
		}
	}
	return scalars[int64](ctx, s.db, `
		with touched as (
			update jira_issues set wanted = wanted + 1, due = $2, asked = asked or $3, jira_project_id = coalesce(jira_project_id, nullif($5, 0))
			where (jira_project_id is not null or $5 <> 0) and (state in ('sending', 'unknown', 'linked') or state <> 'gone' and $5 <> 0 or $4)
				and (finding_id = any($1) or finding_group_id in (select group_id from finding_group_members where finding_id = any($1)))
			returning jira_project_id
		)
		select distinct p.jira_instance_id from jira_projects p where p.id in (select jira_project_id from touched) and p.jira_instance_id is not null`,
		orEmpty(w.FindingIDs), w.Now, w.Asked, w.Again, w.ProjectID)
}

// WantWaived notes that the tickets which asked for a waiver may have something
// to do, and returns the instances that they are at.
func (s *Store) WantWaived(ctx context.Context, waiver int64, now time.Time) ([]int64, error) {
	return scalars[int64](ctx, s.db, `
		with touched as (update jira_issues set wanted = wanted + 1, due = $2 where waiver_id = $1 returning jira_project_id)
		select distinct p.jira_instance_id from jira_projects p where p.id in (select jira_project_id from touched) and p.jira_instance_id is not null`, waiver, now)
}

// ByEngagement are findings of one engagement.
type ByEngagement struct {
	EngagementID int64   `db:"engagement_id"`
	FindingIDs   []int64 `db:"finding_ids"`
}

// FindingsByEngagement tells of findings which engagements they are of.
func (s *Store) FindingsByEngagement(ctx context.Context, ids []int64) ([]ByEngagement, error) {
	return many[ByEngagement](ctx, s.db, `
		select engagement_id, array_agg(id order by id) as finding_ids from findings where id = any($1) group by 1 order by 1`, orEmpty(ids))
}

// Imported is what an import touched.
type Imported struct {
	FindingIDs []int64 `db:"finding_ids"`
	PushToJIRA bool    `db:"push_to_jira"`
}

// Imported returns the findings that an import did something to or saw.
func (s *Store) Imported(ctx context.Context, id int64) (Imported, error) {
	return one[Imported](ctx, s.db, "import", `
		select coalesce((i.import_settings ->> 'push_to_jira')::boolean, false) as push_to_jira,
			array(select unnest(a.finding_ids) from test_import_actions a where a.test_import_id = i.id) as finding_ids
		from test_imports i where i.id = $1`, id)
}

// WantEpic notes that the epic of an engagement is wanted, or may have changed.
func (s *Store) WantEpic(ctx context.Context, engagement, project int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		insert into jira_issues (engagement_id, jira_project_id, wanted, due) values ($1, $2, 1, $3)
		on conflict (engagement_id) do update set wanted = jira_issues.wanted + 1, due = $3`, engagement, project, now)
	return err
}

// WantTicket notes that a ticket may have something to do.
func (s *Store) WantTicket(ctx context.Context, id int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `update jira_issues set wanted = wanted + 1, due = $2 where id = $1`, id, now)
	return err
}

// WantIssue notes that JIRA may know something new of an issue of an instance,
// and returns how many tickets that is: none, if it is not ours.
func (s *Store) WantIssue(ctx context.Context, instance int64, jiraID string, now time.Time) (int64, error) {
	tag, err := s.db.Exec(ctx, `
		update jira_issues t set wanted = wanted + 1, due = $3 from jira_projects p
		where p.id = t.jira_project_id and p.jira_instance_id = $1 and t.jira_id = $2 and t.jira_id <> ''`, instance, jiraID, now)
	return tag.RowsAffected(), err
}

// WantAll notes of all tickets of an instance that live, and of those that
// failed or are orphans, that somebody should look at them.
func (s *Store) WantAll(ctx context.Context, instance int64, now, unseenSince time.Time) error {
	if _, err := s.db.Exec(ctx, `
		delete from jira_issues where state in ('none', 'failed', 'gone') and num_nonnulls(finding_id, engagement_id, finding_group_id) = 0`); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `
		update jira_issues t set due = $2 from jira_projects p
		where p.id = t.jira_project_id and p.jira_instance_id = $1 and t.due is null and (
			(t.state in ('none', 'sending', 'unknown', 'failed') and num_nonnulls(t.finding_id, t.engagement_id, t.finding_group_id) = 1)
			or (t.state = 'linked' and (t.claim <> '' or t.synced is null or t.synced < $3
				or (num_nonnulls(t.finding_id, t.engagement_id, t.finding_group_id) = 0 and not t.agreed_done))))`, instance, now, unseenSince)
	return err
}

// SweepTickets returns the linked tickets of an instance that may have twins:
// made not long ago, and looked at longest ago first.
func (s *Store) SweepTickets(ctx context.Context, instance int64, made time.Time, limit int) ([]Ticket, error) {
	return many[Ticket](ctx, s.db, `
		select `+ticketColumns+` from jira_issues t join jira_projects p on p.id = t.jira_project_id
		where p.jira_instance_id = $1 and t.state = 'linked' and t.intent_id <> '' and t.attempt_started > $2
		order by t.swept nulls first, t.id limit $3`, instance, made, limit)
}

// SweptTickets notes that tickets were looked at.
func (s *Store) SweptTickets(ctx context.Context, ids []int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `update jira_issues set swept = $2 where id = any($1)`, ids, now)
	return err
}

// RelinkTicket makes a ticket that of a twin issue.
func (s *Store) RelinkTicket(ctx context.Context, id int64, jiraID, jiraKey string, now time.Time) error {
	_, err := s.db.Exec(ctx, `update jira_issues set jira_id = $2, jira_key = $3, wanted = wanted + 1, due = $4 where id = $1`, id, jiraID, jiraKey, now)
	return err
}

// TicketQueue is what waits at an instance.
type TicketQueue struct {
	InstanceID int64      `db:"instance_id"`
	Due        int        `db:"due"`
	Oldest     *time.Time `db:"oldest"`
	Linked     int        `db:"linked"`
	Failed     int        `db:"failed"`
	Unknown    int        `db:"unknown"`
	Claimed    int        `db:"claimed"`
}

// TicketQueues returns what waits at each instance.
func (s *Store) TicketQueues(ctx context.Context) ([]TicketQueue, error) {
	return many[TicketQueue](ctx, s.db, `
		select p.jira_instance_id as instance_id, count(t.due) as due, min(t.due) as oldest, count(*) filter (where t.state = 'linked') as linked,
			count(*) filter (where t.state = 'failed') as failed, count(*) filter (where t.state in ('sending', 'unknown')) as unknown,
			count(*) filter (where t.claim <> '') as claimed
		from jira_issues t join jira_projects p on p.id = t.jira_project_id where p.jira_instance_id is not null group by 1`)
}

// TicketWaits returns when the next ticket of an instance is due; nil: none is.
func (s *Store) TicketWaits(ctx context.Context, instance int64) (*time.Time, error) {
	return scalar[*time.Time](ctx, s.db, `
		select min(greatest(t.due, t.leased_until)) from jira_issues t join jira_projects p on p.id = t.jira_project_id where p.jira_instance_id = $1 and t.due is not null`, instance)
}

// PlanTickets returns the tickets of a project, and blank ones of the findings
// and groups that would get one if they were pushed: the worst first.
func (s *Store) PlanTickets(ctx context.Context, p JIRAProject, limit int) ([]Ticket, error) {
	there, err := many[Ticket](ctx, s.db, `select `+ticketColumns+` from jira_issues t where t.jira_project_id = $1 order by t.id limit $2`, p.ID, limit)
	if err != nil {
		return nil, err
	}
	fresh, err := many[Subject](ctx, s.db, `
		select min(f.severity) as rank, case when m.group_id is null then f.id end as finding_id, m.group_id
		from findings f left join finding_group_members m on m.finding_id = f.id
		where (f.engagement_id = $1 or $1 is null and f.product_id = $2 and not exists (select from jira_projects o where o.engagement_id = f.engagement_id))
			and f.active and not f.duplicate
			and not exists (select from jira_issues t where t.finding_id = f.id or t.finding_group_id = m.group_id)
		group by 2, 3 order by max(f.severity) desc, 2, 3 limit $3`, p.EngagementID, p.OwnerID, limit)
	if err != nil {
		return nil, err
	}
	for _, f := range fresh {
		there = append(there, Ticket{ProjectID: &p.ID, FindingID: f.FindingID, GroupID: f.GroupID, State: TicketNone})
	}
	return there, nil
}

// Subject is what a ticket could be about.
type Subject struct {
	Rank      int16  `db:"rank"`
	FindingID *int64 `db:"finding_id"`
	GroupID   *int64 `db:"group_id"`
}

// HasJIRA tells whether tickets of an engagement have a place to go; of 0,
// whether any have.
func (s *Store) HasJIRA(ctx context.Context, engagement int64) (bool, error) {
	return scalar[bool](ctx, s.db, `
		select exists (select from jira_projects j where j.enabled and j.jira_instance_id is not null
			and ($1 = 0 or j.engagement_id = $1 or j.product_id = (select product_id from engagements where id = $1)))`, engagement)
}

// FindingTicket is a finding's ticket, or its group's, as people see it.
type FindingTicket struct {
	Ticket

	URL string `db:"url"` // of the JIRA
}

// FindingTickets returns the ticket of a finding, or that of its group: none or one.
func (s *Store) FindingTickets(ctx context.Context, finding int64) ([]FindingTicket, error) {
	return many[FindingTicket](ctx, s.db, `
		select `+ticketColumns+`, coalesce(i.url, '') as url from jira_issues t left join jira_projects p on p.id = t.jira_project_id
		left join jira_instances i on i.id = p.jira_instance_id
		where t.finding_id = $1 or t.finding_group_id = (select group_id from finding_group_members where finding_id = $1) order by t.id`, finding)
}

// GroupMembers returns the findings of a group.
func (s *Store) GroupMembers(ctx context.Context, group int64) ([]int64, error) {
	return scalars[int64](ctx, s.db, `select finding_id from finding_group_members where group_id = $1 order by 1`, group)
}

// WaiversForTicket returns the waivers that wait to be decided and that name a ticket.
func (s *Store) WaiversForTicket(ctx context.Context, product int64, ticket string) ([]int64, error) {
	return scalars[int64](ctx, s.db, `
		select id from waivers where product_id = $1 and state = 'requested' and document ->> 'ticket' = $2 order by id`, product, ticket)
}
