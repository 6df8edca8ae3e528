package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// NotifySettings are the system's settings of what is told by the calendar, with
// DefectDojo's names and defaults.
type NotifySettings struct {
	FindingSLA       bool `json:"enable_finding_sla"`
	Active           bool `json:"enable_notify_sla_active"`
	ActiveVerified   bool `json:"enable_notify_sla_active_verified"`
	JiraOnly         bool `json:"enable_notify_sla_jira_only"`
	Backoff          bool `json:"enable_notify_sla_exponential_backoff"`
	RiskDays         int  `json:"risk_acceptance_notify_before_expiration"`
	WaiverDays       int  `json:"waiver_notify_before_expiration"` // ours
	EngagementDays   int  `json:"engagement_notify_before_start"`  // ours: DefectDojo's is fixed
	WebhookRetention int  `json:"notification_delivery_log_days"`  // ours
	AutoClose        bool `json:"engagement_auto_close"`
	AutoCloseDays    int  `json:"engagement_auto_close_days"` // after an engagement's end

	Disclaimer string `json:"disclaimer_notifications"` // under all that is sent
}

// NotifySettings returns them.
func (s *Store) NotifySettings(ctx context.Context) (NotifySettings, error) {
	n := NotifySettings{FindingSLA: true, RiskDays: 10, WaiverDays: 7, EngagementDays: 3, WebhookRetention: 30, AutoCloseDays: 3}
	text, err := scalar[[]byte](ctx, s.db, `select settings from system_settings where id = 1`)
	if err != nil {
		return n, err
	}
	return n, json.Unmarshal(text, &n)
}

// SetNotifySettings writes them, and leaves the system's other settings.
func (s *Store) SetNotifySettings(ctx context.Context, n NotifySettings) error {
	_, err := s.db.Exec(ctx, `update system_settings set settings = settings || $1 where id = 1`, n)
	return err
}

// DueFinding is an open finding near or past its due day.
type DueFinding struct {
	ID           int64         `db:"id"`
	Title        string        `db:"title"`
	Severity     gate.Severity `db:"severity"`
	ProductID    int64         `db:"product_id"`
	EngagementID int64         `db:"engagement_id"`
	TestID       int64         `db:"test_id"`
	Due          time.Time     `db:"due"`
	Days         int           `db:"days"` // left; negative: past it
}

// DueFindings returns the open findings whose due day is at most after days
// ago, or at most before days ahead, where the SLA of the product is enforced and
// its notifications are not switched off.
func (s *Store) DueFindings(ctx context.Context, set NotifySettings, today time.Time, after, before int) ([]DueFinding, error) {
	return many[DueFinding](ctx, s.db, `
		select f.id, f.title, f.severity, f.product_id, f.engagement_id, f.test_id, f.sla_expiration_date as due, (f.sla_expiration_date - @today::date)::int as days
		from findings f join products p on p.id = f.product_id join sla_configurations c on c.id = p.sla_configuration_id
		where f.active and not f.is_mitigated and not f.duplicate and f.severity > 0
			and f.sla_expiration_date between @today::date - @after::int and @today::date + @before::int
			and not p.disable_sla_breach_notifications
			and (array[c.enforce_low, c.enforce_medium, c.enforce_high, c.enforce_critical])[f.severity]
			and (f.verified or not @verified)
			and (not @jira or exists (select from jira_issues j where j.finding_id = f.id))
		order by f.product_id, f.id`, pgx.NamedArgs{"today": today, "after": after, "before": before, "verified": set.ActiveVerified, "jira": set.JiraOnly})
}

// DueEngagement is an engagement that is about to begin, or past its end.
type DueEngagement struct {
	ID        int64     `db:"id"`
	ProductID int64     `db:"product_id"`
	Start     time.Time `db:"target_start"`
	End       time.Time `db:"target_end"`
	Lead      *int64    `db:"lead_id"`
}

const dueEngagementColumns = `select id, product_id, target_start, target_end, lead_id from engagements`

// UpcomingEngagements returns those that begin within some days.
func (s *Store) UpcomingEngagements(ctx context.Context, today time.Time, days int) ([]DueEngagement, error) {
	return many[DueEngagement](ctx, s.db, dueEngagementColumns+`
		where active and target_start > $1::date and target_start <= $1::date + $2::int and created < $1::date order by id`, today, days)
}

// StaleEngagements returns those that should have ended within the last days and are still at work.
func (s *Store) StaleEngagements(ctx context.Context, today time.Time, days int) ([]DueEngagement, error) {
	return many[DueEngagement](ctx, s.db, dueEngagementColumns+`
		where active and status = 'In Progress' and target_end < $1::date and target_end >= $1::date - $2::int order by id`, today, days)
}

// LockOverdueEngagements returns the engagements that are at work though they
// ended at least some days ago, and keeps others from changing them.
func (s *Store) LockOverdueEngagements(ctx context.Context, today time.Time, days int) ([]gate.Engagement, error) {
	return many[gate.Engagement](ctx, s.db, `
		select `+engagementColumns+` from engagements
		where active and status = 'In Progress' and target_end <= $1::date - $2::int order by id for update skip locked`, today, days)
}

// DueRiskAcceptance is one that ends soon, or has.
type DueRiskAcceptance struct {
	ID           int64     `db:"id"`
	Name         string    `db:"name"`
	ProductID    int64     `db:"product_id"`
	EngagementID int64     `db:"engagement_id"`
	Expires      time.Time `db:"expires"`
	Over         bool      `db:"over"`
	Findings     []int64   `db:"findings"`
}

// DueRiskAcceptances returns those that end within some days, or have ended
// within the last week.
func (s *Store) DueRiskAcceptances(ctx context.Context, now time.Time, days int) ([]DueRiskAcceptance, error) {
	return many[DueRiskAcceptance](ctx, s.db, `
		with at_place as (
			select r.*, coalesce(r.engagement_id, (select f.engagement_id from risk_acceptance_findings x join findings f on f.id = x.finding_id where x.risk_acceptance_id = r.id order by f.id limit 1)) as place
			from risk_acceptances r
			where r.expiration_date between $1::timestamptz - interval '7 days' and $1::timestamptz + make_interval(days => $2)
		)
		select r.id, r.name, e.product_id, e.id as engagement_id, r.expiration_date as expires, r.expiration_date <= $1 as over,
			array(select x.finding_id from risk_acceptance_findings x where x.risk_acceptance_id = r.id order by 1) as findings
		from at_place r join engagements e on e.id = r.place order by r.id`, now, days)
}

// WarnedRiskAcceptance notes that it was told that one ends soon.
func (s *Store) WarnedRiskAcceptance(ctx context.Context, id int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `update risk_acceptances set expiration_date_warned = $2 where id = $1 and expiration_date_warned is null`, id, now)
	return err
}

// EndingWaivers returns the approved waivers that end within some days.
func (s *Store) EndingWaivers(ctx context.Context, now time.Time, days int) ([]WaiverNews, error) {
	return many[WaiverNews](ctx, s.db, `
		select id, name, coalesce(product_id, 0) as product_id, state, expires from waivers
		where state = 'approved' and expires > $1 and expires <= $1::timestamptz + make_interval(days => $2) order by id`, now, days)
}

// GiveUpDeliveries ends those that have waited since before a time: their jobs are gone.
func (s *Store) GiveUpDeliveries(ctx context.Context, before, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		update notice_deliveries set state = 'failed', finished = $2, last_error = case when last_error = '' then 'it was not sent in time' else last_error end
		where state in ('queued', 'held') and created < $1`, before, now)
	return err
}
