package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// TicketSubject is what a ticket is about, and where that is.
type TicketSubject struct {
	Findings    []gate.Finding // one, or those of the group; none of an epic or of what was deleted
	Group       string
	Engagement  gate.Engagement
	ProductName string `db:"product_name"`
	TestTitle   string `db:"test_title"`
	EpicKey     string `db:"epic_key"` // of the engagement, once it is made
	EpicID      string `db:"epic_id"`
}

type subjectNames struct {
	EngagementID int64  `db:"engagement_id"`
	ProductName  string `db:"product_name"`
	TestTitle    string `db:"test_title"`
	Group        string `db:"group_name"`
	EpicKey      string `db:"epic_key"`
	EpicID       string `db:"epic_id"`
}

// TicketSubject returns what a ticket is about; a blank one if that was deleted.
func (s *Store) TicketSubject(ctx context.Context, t Ticket) (TicketSubject, error) {
	var out TicketSubject
	var err error
	switch {
	case t.FindingID != nil:
		out.Findings, err = many[gate.Finding](ctx, s.db, `select `+findingColumns+` from findings where id = $1`, *t.FindingID)
	case t.GroupID != nil:
		out.Findings, err = many[gate.Finding](ctx, s.db, `
			select `+findingColumns+` from findings where id in (select finding_id from finding_group_members where group_id = $1) order by severity desc, id`, *t.GroupID)
	case t.EngagementID == nil:
		return out, nil
	}
	if err != nil {
		return out, err
	}
	names, err := many[subjectNames](ctx, s.db, `
		select e.id as engagement_id, p.name as product_name, coalesce(nullif(coalesce(te.title, ''), ''), tt.name, '') as test_title, coalesce(g.name, '') as group_name,
			coalesce(epic.jira_key, '') as epic_key, coalesce(epic.jira_id, '') as epic_id
		from engagements e join products p on p.id = e.product_id
		left join findings f on f.id = $2 left join finding_groups g on g.id = $3
		left join tests te on te.id = coalesce(f.test_id, g.test_id) left join test_types tt on tt.id = te.test_type_id
		left join jira_issues epic on epic.engagement_id = e.id and epic.state = 'linked'
		where e.id = coalesce($1, f.engagement_id, te.engagement_id)`, t.EngagementID, t.FindingID, t.GroupID)
	if err != nil || len(names) == 0 {
		return out, err
	}
	n := names[0]
	out.Group, out.ProductName, out.TestTitle, out.EpicKey, out.EpicID = n.Group, n.ProductName, n.TestTitle, n.EpicKey, n.EpicID
	out.Engagement, err = s.Engagement(ctx, gate.Scope{All: true}, n.EngagementID)
	return out, err
}

// Rescan is a whole scan of what a finding was found by.
type Rescan struct {
	ImportID int64     `db:"import_id"`
	Created  time.Time `db:"created"`
	Shows    bool      `db:"shows"` // it has the finding
}

// NextRescan returns the first whole scan after a moment that would show a
// finding if it were still there: a reimport into its test, or an import of the
// same type into its engagement. NotFound: there was none yet.
func (s *Store) NextRescan(ctx context.Context, f gate.Finding, after time.Time) (Rescan, error) {
	return one[Rescan](ctx, s.db, "rescan", `
		select i.id as import_id, i.created, exists (
			select from test_import_actions a where a.test_import_id = i.id and a.action in ('N', 'R', 'U') and (
				$1 = any(a.finding_ids)
				or i.test_id <> $2 and exists (select from findings n where n.id = any(a.finding_ids) and (n.duplicate_finding_id = $1 or n.hash_code = $5)))
		) as shows
		from test_imports i join tests t on t.id = i.test_id
		where t.engagement_id = $3 and t.test_type_id = $4 and (t.id = $2 or i.type = 'import') and i.state = 'done' and i.created > $6
			and i.outcome not in ('failed', 'partial') and (i.finding_count > 0 or i.outcome = 'succeeded')
		order by i.created, i.id limit 1`, f.ID, f.TestID, f.EngagementID, f.TestTypeID, f.HashCode, after)
}
