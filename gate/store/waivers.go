package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// Waiver is a waiver with how far it has come.
type Waiver struct {
	ID            int64
	ProductID     int64
	Product       string
	Name          string // W-2026-0042
	State         string // requested, approved, rejected or revoked
	Document      gate.Waiver
	RequestedByID int64
	RequestedBy   string
	ApprovedBy    []string
	ApprovedByIDs []int64 `db:"approved_by_ids"`
	Needed        int     // approvals
	DecidedBy     string  // who rejected or revoked it
	Decided       *time.Time
	Decision      string // why
	FindingID     *int64
	VerdictID     *int64
	Created       time.Time
	ValidFrom     *time.Time
	Expires       time.Time
	Updated       time.Time
}

const waiverColumns = `w.id, w.product_id, p.name as product, w.name, w.state, w.document, w.requested_by_id, u.username as requested_by,
	array(select a.username from waiver_approvals x join users a on a.id = x.user_id where x.waiver_id = w.id order by x.at, x.user_id) as approved_by,
	array(select x.user_id from waiver_approvals x where x.waiver_id = w.id order by x.at, x.user_id) as approved_by_ids,
	w.needed, coalesce(d.username, '') as decided_by, w.decided, w.decision, w.finding_id, w.verdict_id, w.created, w.valid_from, w.expires, w.updated`

const waiverTables = `waivers w
	join products p on p.id = w.product_id
	join users u on u.id = w.requested_by_id
	left join users d on d.id = w.decided_by_id`

// Waiver returns what the policies judge: the document with what the table
// knows better.
func (w Waiver) Waiver() gate.Waiver {
	d := w.Document
	d.ID, d.Origin, d.RequestedBy, d.ApprovedBy, d.RequestedAt, d.Expires = w.Name, gate.WaiverFromServer, w.RequestedBy, w.ApprovedBy, w.Created, w.Expires
	d.Match.Product = w.Product
	if w.ValidFrom != nil {
		d.ValidFrom = *w.ValidFrom
	}
	if w.State == "revoked" && w.Decided != nil {
		d.RevokedAt = *w.Decided
	}
	return d
}

// ended is how long a waiver that is over is still told of.
const ended = 30 * 24 * time.Hour

// JudgedWaivers returns the waivers of a product that a verdict at a time looks
// at: those that are asked for, approved, or lately over.
func (s *Store) JudgedWaivers(ctx context.Context, product int64, now time.Time) ([]Waiver, error) {
	return many[Waiver](ctx, s.db, `select `+waiverColumns+` from `+waiverTables+`
		where w.product_id = $1 and w.state <> 'rejected' and w.expires > $2 and (w.state <> 'revoked' or w.decided > $2)
		order by w.id`, product, now.Add(-ended))
}

// WaiverFilter selects waivers.
type WaiverFilter struct {
	Scope    gate.Scope
	Numbers  map[string][]int64 // product, finding, verdict: any of them
	State    *string
	Name     *string
	Live     *time.Time // not over at that time
	Over     *time.Time // expired at that time
	EndsSoon *Range     // approved, and ends within it
	Page
}

// Waivers returns the waivers of f, the newest first.
func (s *Store) Waivers(ctx context.Context, f WaiverFilter) (List[Waiver], error) {
	var w where
	w.scope("w.product_id", f.Scope)
	for name, ids := range f.Numbers {
		w.and(map[string]string{"product": "w.product_id", "finding": "w.finding_id", "verdict": "w.verdict_id"}[name]+" = any(?)", ids)
	}
	optional(&w, "w.state", f.State)
	optional(&w, "w.name", f.Name)
	if f.Live != nil {
		w.and("w.expires > ?", *f.Live)
	}
	if f.Over != nil {
		w.and("w.expires <= ?", *f.Over)
	}
	if f.EndsSoon != nil {
		w.and("w.state = 'approved' and w.expires > ? and w.expires <= ?", *f.EndsSoon.From, *f.EndsSoon.To)
	}
	return list[Waiver](ctx, s.db, waiverColumns, waiverTables, &w, " order by w.id desc", f.Page)
}

// WaiverByID returns a waiver of a product in scope.
func (s *Store) WaiverByID(ctx context.Context, scope gate.Scope, id int64) (Waiver, error) {
	var w where
	w.and("w.id = ?", id)
	w.scope("w.product_id", scope)
	return one[Waiver](ctx, s.db, "waiver", `select `+waiverColumns+` from `+waiverTables+w.sql.String(), w.args...)
}

// NewWaiver is a waiver that somebody asks for.
type NewWaiver struct {
	ProductID   int64
	Document    gate.Waiver
	RequestedBy int64
	Needed      int
	FindingID   *int64
	VerdictID   *int64
	Now         time.Time
}

// AddWaiver adds a waiver and names it by the year and its number.
func (s *Store) AddWaiver(ctx context.Context, w NewWaiver) (int64, error) {
	d := w.Document
	return scalar[int64](ctx, s.db, `
		with n as (select nextval(pg_get_serial_sequence('waivers', 'id')) as id)
		insert into waivers (id, product_id, name, state, document, requested_by_id, needed, finding_id, verdict_id, created, updated, valid_from, expires)
		select n.id, @product, 'W-' || extract(year from @now::timestamptz at time zone 'utc') || '-' || lpad(n.id::text, greatest(4, length(n.id::text)), '0'), 'requested', @document,
		       @by, @needed, @finding, @verdict, @now, @now, @from, @expires from n
		returning id`, pgx.NamedArgs{
		"product": w.ProductID, "document": d, "by": w.RequestedBy, "needed": w.Needed, "finding": w.FindingID, "verdict": w.VerdictID, "now": w.Now,
		"from": nullTime(d.ValidFrom), "expires": d.Expires,
	})
}

// AddWaiverApproval records that somebody approves a waiver; once is enough.
func (s *Store) AddWaiverApproval(ctx context.Context, id, user int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `insert into waiver_approvals (waiver_id, user_id, at) values ($1, $2, $3) on conflict do nothing`, id, user, now)
	return err
}

// SetWaiverState moves a waiver on: approved, or rejected or revoked by
// somebody, for a reason.
func (s *Store) SetWaiverState(ctx context.Context, id int64, state string, by *int64, why string, now time.Time) error {
	return exec(ctx, s.db, "waiver", `
		update waivers set state = @state, updated = @now, decided_by_id = @by, decision = @why, decided = case when @by::bigint is null then null else @now::timestamptz end
		where id = @id`, pgx.NamedArgs{"id": id, "state": state, "by": by, "why": why, "now": now})
}

// WaiverUsage is how the newest verdicts of a product's branches used a waiver.
type WaiverUsage struct {
	Name    string
	Covered int // findings, in all of them
	Matches int
	Lines   int // branches whose verdict looked at it
}

// WaiverUsages returns how waivers of products in scope are used, by name.
func (s *Store) WaiverUsages(ctx context.Context, scope gate.Scope, since time.Time) (map[string]WaiverUsage, error) {
	var w where
	w.and("superseded_by is null and decided_at > ? and jsonb_typeof(document -> 'waivers') = 'array'", since)
	w.scope("product_id", scope)
	rows, err := many[WaiverUsage](ctx, s.db, `
		select u ->> 'id' as name, sum((u ->> 'covered')::int)::int as covered, max((u ->> 'matches')::int) as matches, count(*)::int as lines
		from verdicts, jsonb_array_elements(document -> 'waivers') u`+w.sql.String()+` group by 1`, w.args...)
	out := make(map[string]WaiverUsage, len(rows))
	for _, r := range rows {
		out[r.Name] = r
	}
	return out, err
}

// VEXDocument is a VEX document that was uploaded for a product.
type VEXDocument struct {
	ID         int64
	ProductID  int64
	Digest     []byte
	Filename   string
	Format     string
	Trusted    bool
	Statements []gate.VEXStatement
	AddedBy    string
	Created    time.Time
}

const vexColumns = `d.id, d.product_id, d.digest, d.filename, d.format, d.trusted, d.statements, coalesce(u.username, '') as added_by, d.created`

const vexTables = `vex_documents d left join users u on u.id = d.added_by_id`

// VEXDocuments returns the documents of products in scope, the newest first.
func (s *Store) VEXDocuments(ctx context.Context, scope gate.Scope, product *int64, p Page) (List[VEXDocument], error) {
	var w where
	w.scope("d.product_id", scope)
	optional(&w, "d.product_id", product)
	return list[VEXDocument](ctx, s.db, vexColumns, vexTables, &w, " order by d.id desc", p)
}

// VEXDocument returns a document of a product in scope.
func (s *Store) VEXDocument(ctx context.Context, scope gate.Scope, id int64) (VEXDocument, error) {
	var w where
	w.and("d.id = ?", id)
	w.scope("d.product_id", scope)
	return one[VEXDocument](ctx, s.db, "VEX document", `select `+vexColumns+` from `+vexTables+w.sql.String(), w.args...)
}

// VEXContent returns a document as it was brought, compressed.
func (s *Store) VEXContent(ctx context.Context, id int64) ([]byte, error) {
	return scalar[[]byte](ctx, s.db, `select content from vex_documents where id = $1`, id)
}

// NewVEXDocument is a document to be kept.
type NewVEXDocument struct {
	ProductID  int64
	Digest     []byte
	Filename   string
	Format     string
	Trusted    bool
	Content    []byte // gzip
	Statements []gate.VEXStatement
	AddedBy    int64
	Now        time.Time
}

// AddVEXDocument keeps a document. The same one again changes how far it is trusted.
func (s *Store) AddVEXDocument(ctx context.Context, d NewVEXDocument) (int64, error) {
	return scalar[int64](ctx, s.db, `
		insert into vex_documents (product_id, digest, filename, format, trusted, content, statements, added_by_id, created)
		values (@product, @digest, @filename, @format, @trusted, @content, @statements, @by, @now)
		on conflict (product_id, digest) do update set trusted = @trusted
		returning id`, pgx.NamedArgs{
		"product": d.ProductID, "digest": d.Digest, "filename": d.Filename, "format": d.Format, "trusted": d.Trusted, "content": d.Content,
		"statements": orEmpty(d.Statements), "by": d.AddedBy, "now": d.Now,
	})
}

// DeleteVEXDocument removes a document.
func (s *Store) DeleteVEXDocument(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "VEX document", `delete from vex_documents where id = $1`, id)
}

// VEXStatements returns the statements of a product's documents, those of
// trusted ones marked so.
func (s *Store) VEXStatements(ctx context.Context, product int64) ([]gate.VEXStatement, error) {
	type row struct {
		Trusted    bool
		Statements []gate.VEXStatement
	}
	rows, err := many[row](ctx, s.db, `select trusted, statements from vex_documents where product_id = $1 order by id`, product)
	var out []gate.VEXStatement
	for _, r := range rows {
		for _, v := range r.Statements {
			v.Trusted = r.Trusted
			out = append(out, v)
		}
	}
	return out, err
}
