package store

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
)

// Dashboard is how things stand within a scope. All of it is of findings that
// are no duplicates.
type Dashboard struct {
	Products int
	Imports  bool // there has been one
	Findings int  // open or not
	Open     Counts
	Breached Counts // open ones whose due day has passed
	DueSoon  int    // open ones that are due within a week
	Known    int    // open ones that are known to be exploited
	Oldest   *time.Time
	Weeks    []Week // the last ones, oldest first; the last is the one that runs
}

// Week is what came and went in a week, and what was open at its end.
type Week struct {
	Monday time.Time
	Opened Counts
	Closed Counts // and accepted, and dismissed
	Open   Counts
}

type openCount struct {
	Severity gate.Severity
	Count    int
	Breached int
	Soon     int
	Known    int
	Oldest   *time.Time
}

// Dashboard returns how things stand on a day, with so many weeks before it.
func (s *Store) Dashboard(ctx context.Context, scope gate.Scope, today gate.Date, weeks int) (Dashboard, error) {
	var d Dashboard
	if err := s.totals(ctx, scope, &d); err != nil {
		return d, fmt.Errorf("dashboard: %w", err)
	}
	var w where
	w.and("active and not duplicate")
	w.scope("product_id", scope)
	w.args = append(w.args, today.Time())
	day := fmt.Sprintf("$%d::date", len(w.args))
	rows, err := many[openCount](ctx, s.db, `
		select severity, count(*) as count, min(date) as oldest,
			count(*) filter (where sla_expiration_date < `+day+`) as breached,
			count(*) filter (where sla_expiration_date between `+day+` and `+day+` + 7) as soon,
			count(*) filter (where known_exploited) as known
		from findings`+w.sql.String()+` group by severity`, w.args...)
	if err != nil {
		return d, fmt.Errorf("dashboard: %w", err)
	}
	for _, r := range rows {
		d.Open[r.Severity], d.Breached[r.Severity] = r.Count, r.Breached
		d.DueSoon += r.Soon
		d.Known += r.Known
		if d.Oldest == nil || r.Oldest.Before(*d.Oldest) {
			d.Oldest = r.Oldest
		}
	}
	d.Weeks, err = s.Weeks(ctx, scope, d.Open, today, weeks)
	return d, err
}

func (s *Store) totals(ctx context.Context, scope gate.Scope, d *Dashboard) error {
	var products, imports where
	products.scope("id", scope)
	imports.and("state = 'done'")
	imports.scope("product_id", scope)
	var err error
	if d.Imports, err = scalar[bool](ctx, s.db, `select exists (select from test_imports`+imports.sql.String()+`)`, imports.args...); err != nil {
		return err
	}
	if d.Products, err = scalar[int](ctx, s.db, `select count(*) from products`+products.sql.String(), products.args...); err != nil {
		return err
	}
	d.Findings, err = s.FindingTotal(ctx, scope)
	return err
}

// FindingTotal returns how many findings there are within a scope.
func (s *Store) FindingTotal(ctx context.Context, scope gate.Scope) (int, error) {
	var w where
	w.scope("product_id", scope)
	return scalar[int](ctx, s.db, `select count(*) from findings`+w.sql.String(), w.args...)
}

// Monday returns the first day of a day's week.
func Monday(d gate.Date) gate.Date { return d.AddDays(-int(d.Time().Weekday()+6) % 7) }

type weekCount struct {
	Monday   time.Time
	Severity gate.Severity
	Opened   int
	Closed   int
}

// Weeks returns the last n weeks up to today. What was open at the end of each
// is counted back from what is open now.
func (s *Store) Weeks(ctx context.Context, scope gate.Scope, open Counts, today gate.Date, n int) ([]Week, error) {
	first := Monday(today).AddDays(-7 * (n - 1))
	weeks := make([]Week, n)
	for i := range weeks {
		weeks[i].Monday = first.AddDays(7 * i).Time()
	}
	rows, err := s.flow(ctx, scope, first)
	if err != nil {
		return nil, fmt.Errorf("findings a week: %w", err)
	}
	for _, r := range rows {
		if i := gate.DateOf(r.Monday).Sub(first) / 7; i >= 0 && i < n {
			weeks[i].Opened[r.Severity] += r.Opened
			weeks[i].Closed[r.Severity] += r.Closed
		}
	}
	for i := n - 1; i >= 0; i-- {
		weeks[i].Open = open
		for sev := range open {
			open[sev] = max(0, open[sev]-weeks[i].Opened[sev]+weeks[i].Closed[sev])
		}
	}
	return weeks, nil
}

// flow counts what came and went each week since a day. A finding that is not
// open left when it was closed, or else when its status last changed.
func (s *Store) flow(ctx context.Context, scope gate.Scope, since gate.Date) ([]weekCount, error) {
	var w where
	w.and("not duplicate")
	w.scope("product_id", scope)
	w.args = append(w.args, since.Time())
	day := fmt.Sprintf("$%d", len(w.args))
	return many[weekCount](ctx, s.db, `
		with open as (
			select date, severity from findings`+w.sql.String()+` and active and date >= `+day+`::date
		), shut as not materialized (
			select date, coalesce(mitigated, last_status_update) as gone, severity from findings`+w.sql.String()+` and not active
		)
		select date_trunc('week', date::timestamp) as monday, severity, sum(opened)::integer as opened, sum(closed)::integer as closed from (
			select date, severity, count(*) as opened, 0 as closed from open group by 1, 2
			union all
			select date, severity, count(*), 0 from shut where date >= `+day+`::date group by 1, 2
			union all
			select (gone at time zone 'UTC')::date, severity, 0, count(*) from shut where gone >= `+day+`::timestamptz group by 1, 2
		) moved group by 1, 2`, w.args...)
}
