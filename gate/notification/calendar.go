package notification

import (
	"context"
	"fmt"
	"math/bits"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
)

// The window around a due day in which it is told, as in DefectDojo.
const (
	afterDue  = 7 // days
	beforeDue = 3
)

// daily is when what the calendar brings is told, in UTC.
const daily = 7*time.Hour + 30*time.Minute

// giveUp is how long after its event a delivery is given up: River has tried
// about 200 times by then.
const giveUp = 72 * time.Hour

// keepAlerts is how many alerts a user keeps.
const keepAlerts = 999

// Tick does what time brings, and is called each minute: webhooks recover,
// digests that came late are sent, and once a day the calendar is looked at.
func (n *Notifier) Tick(ctx context.Context) error {
	now := n.Now().UTC()
	if err := n.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error { return n.recover(ctx, s, tx, now) }); err != nil {
		return err
	}
	day := now.Truncate(24 * time.Hour)
	if now.Sub(day) < daily {
		return nil
	}
	return n.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		first, err := s.OnceADay(ctx, "notifications", day)
		if err != nil || !first {
			return err
		}
		return n.Calendar(ctx, tx, now)
	})
}

func (n *Notifier) recover(ctx context.Context, s *store.Store, tx pgx.Tx, now time.Time) error {
	hooks, err := s.UnsettledWebhooks(ctx)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if rested := Rest(h, now); rested.Status != h.Status {
			if _, err := s.SaveNotificationWebhook(ctx, rested); err != nil {
				return err
			}
		}
	}
	late, err := s.LateDigests(ctx, now.Add(-lateDigest))
	if err != nil {
		return err
	}
	for _, id := range late {
		d, err := s.NoticeDigest(ctx, id)
		if err != nil {
			return err
		}
		c, err := s.Connection(ctx, d.ConnectionID)
		if err != nil {
			return err
		}
		if err := n.Enqueue(ctx, tx, jobs.Send{Channel: c.Kind, Body: work{Digest: id}}); err != nil {
			return err
		}
		if err := s.PostponeDigest(ctx, id, now); err != nil {
			return err
		}
	}
	return s.GiveUpDeliveries(ctx, now.Add(-giveUp), now)
}

// lateDigest is how long after its time a digest that was sent is looked at
// again: somebody's transaction may have ended only then.
const lateDigest = 10 * time.Minute

// Maintain removes what is old.
func (n *Notifier) Maintain(ctx context.Context) error {
	set, err := n.Store.NotifySettings(ctx)
	if err != nil {
		return err
	}
	if err := n.Store.TrimAlerts(ctx, keepAlerts); err != nil {
		return err
	}
	if err := n.Store.RemoveBuckets(ctx, n.Now().AddDate(0, 0, -1)); err != nil {
		return err
	}
	return n.Store.RemoveNotices(ctx, n.Now().AddDate(0, 0, -max(set.WebhookRetention, 3)))
}

// Calendar tells what a day brings: findings near their due day, engagements
// that begin or should have ended, acceptances and waivers that end.
func (n *Notifier) Calendar(ctx context.Context, tx pgx.Tx, now time.Time) error {
	set, err := store.In(tx).NotifySettings(ctx)
	if err != nil {
		return err
	}
	for _, f := range []func(context.Context, *store.Store, store.NotifySettings, time.Time) ([]Notice, error){
		dueFindings, engagements, riskAcceptances, waivers,
	} {
		notices, err := f(ctx, store.In(tx), set, now)
		if err != nil {
			return err
		}
		for _, notice := range notices {
			if err := n.Tell(ctx, tx, notice); err != nil {
				return err
			}
		}
	}
	return nil
}

// dueFindings tells of each finding, and of all of a product together.
func dueFindings(ctx context.Context, s *store.Store, set store.NotifySettings, now time.Time) ([]Notice, error) {
	if !set.FindingSLA || !set.Active && !set.ActiveVerified {
		return nil, nil
	}
	found, err := s.DueFindings(ctx, set, now, afterDue, beforeDue)
	if err != nil {
		return nil, err
	}
	var out []Notice
	combined := map[string]*Notice{}
	var order []string
	for _, f := range found {
		if f.Days < 0 && set.Backoff && bits.OnesCount(uint(-f.Days)) != 1 { // told on days 1, 2, 4
			continue
		}
		n, place, err := at(ctx, s, gate.Event{At: now, ProductID: f.ProductID, EngagementID: f.EngagementID, TestID: f.TestID}, SLABreach,
			fmt.Sprintf("sla:%d:%s", f.ID, now.Format(time.DateOnly)))
		if err != nil {
			return nil, err
		}
		item := Item{f.ID, f.Title, f.Severity}
		n.Severity, n.Finding, n.Path = &f.Severity, &item, fmt.Sprintf("/findings/%d", f.ID)
		n.Title = fmt.Sprintf("Finding %d - %s", f.ID, dueText(f.Days))
		n.Description = f.Title
		out = append(out, n)
		kind := dueKind(f.Days)
		key := fmt.Sprintf("sla:%s:%d:%s", kind, f.ProductID, now.Format(time.DateOnly))
		c := combined[key]
		if c == nil {
			c = &Notice{Event: SLABreachCombined, Key: key, At: now, Findings: map[string][]Item{}, Path: fmt.Sprintf("/findings?product=%d", f.ProductID)}
			c.in(place)
			c.Engagement, c.Test, c.Branch = nil, nil, ""
			combined[key], order = c, append(order, key)
		}
		c.Count++
		if c.Severity == nil || *c.Severity < f.Severity {
			c.Severity = &f.Severity
		}
		if len(c.Findings["findings"]) < shown {
			c.Findings["findings"] = append(c.Findings["findings"], item)
		}
		c.Title = fmt.Sprintf("%d findings of %s: %s", c.Count, place.Product, kind)
		c.Description = c.Title
	}
	for _, key := range order {
		out = append(out, *combined[key])
	}
	return out, nil
}

// dueKind is which of DefectDojo's three sorts a number of days is.
func dueKind(days int) string {
	switch {
	case days < 0:
		return "SLA breached"
	case days == 0:
		return "SLA ends today"
	}
	return "SLA ends soon"
}

func dueText(days int) string {
	switch {
	case days < 0:
		return fmt.Sprintf("SLA breached! Overdue by %d day(s)", -days)
	case days == 0:
		return "SLA is breaching today"
	}
	return fmt.Sprintf("SLA breach in %d day(s)", days)
}

// staleDays is for how many days after its end an engagement is told as stale, if
// the day itself was missed; it is told once.
const staleDays = 7

func engagements(ctx context.Context, s *store.Store, set store.NotifySettings, now time.Time) ([]Notice, error) {
	upcoming, err := s.UpcomingEngagements(ctx, now, set.EngagementDays)
	if err != nil {
		return nil, err
	}
	stale, err := s.StaleEngagements(ctx, now, staleDays)
	if err != nil {
		return nil, err
	}
	var out []Notice
	for i, e := range append(upcoming, stale...) {
		event, key, title, text := UpcomingEngagement, "upcoming", "Upcoming engagement: ", "It begins on "+e.Start.Format(time.DateOnly)
		if i >= len(upcoming) {
			event, key, title, text = StaleEngagement, "stale", "Stale engagement: ", "It should have ended on "+e.End.Format(time.DateOnly)
		}
		n, place, err := at(ctx, s, gate.Event{At: now, ProductID: e.ProductID, EngagementID: e.ID}, event, fmt.Sprintf("engagement:%s:%d:%s%s", key, e.ID, e.Start.Format("20060102"), e.End.Format("20060102")))
		if err != nil {
			return nil, err
		}
		n.Title, n.Description, n.Path = title+place.Product+": "+place.Engagement, text, fmt.Sprintf("/findings?engagement=%d", e.ID)
		if e.Lead != nil {
			n.Only, n.To = true, []int64{*e.Lead}
		}
		out = append(out, n)
	}
	return out, nil
}

func riskAcceptances(ctx context.Context, s *store.Store, set store.NotifySettings, now time.Time) ([]Notice, error) {
	due, err := s.DueRiskAcceptances(ctx, now, set.RiskDays)
	if err != nil {
		return nil, err
	}
	var out []Notice
	for _, r := range due {
		word := "expires soon"
		if r.Over {
			word = "has expired"
		}
		n, place, err := at(ctx, s, gate.Event{At: now, ProductID: r.ProductID, EngagementID: r.EngagementID}, RiskAcceptanceExpiry, fmt.Sprintf("risk:%d:%t:%s", r.ID, r.Over, r.Expires.Format("20060102")))
		if err != nil {
			return nil, err
		}
		found, err := s.NoticeFindings(ctx, r.Findings, shown)
		if err != nil {
			return nil, err
		}
		n.worst(found)
		n.Count, n.Findings = len(r.Findings), map[string][]Item{"findings": items(found)}
		n.Title = fmt.Sprintf("Risk acceptance %s: %s", word, r.Name)
		n.Description = fmt.Sprintf("The risk acceptance %s of %s, with %d findings, %s: %s", r.Name, place.Product, len(r.Findings), word, r.Expires.Format(time.DateOnly))
		n.Path = fmt.Sprintf("/products/%d", r.ProductID)
		out = append(out, n)
		if !r.Over {
			if err := s.WarnedRiskAcceptance(ctx, r.ID, now); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func waivers(ctx context.Context, s *store.Store, set store.NotifySettings, now time.Time) ([]Notice, error) {
	ending, err := s.EndingWaivers(ctx, now, set.WaiverDays)
	if err != nil {
		return nil, err
	}
	var out []Notice
	for _, w := range ending {
		n, place, err := at(ctx, s, gate.Event{At: now, ProductID: w.ProductID}, WaiverExpiring, fmt.Sprintf("waiver:%d:expiring:%s", w.ID, w.Expires.Format("20060102")))
		if err != nil {
			return nil, err
		}
		n.Title = fmt.Sprintf("The waiver %s expires on %s", w.Name, w.Expires.Format(time.DateOnly))
		n.Description = n.Title
		if place.Product != "" {
			n.Description += " (" + place.Product + ")"
		}
		out = append(out, n)
	}
	return out, nil
}
