package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// Notice is something that people and systems are told. Package notification
// knows its document.
type Notice struct {
	ID        int64           `db:"id"`
	Key       string          `db:"key"`
	Event     string          `db:"event"`
	At        time.Time       `db:"at"`
	ProductID *int64          `db:"product_id"`
	Document  json.RawMessage `db:"document"`
}

// AddNotice stores one and returns its id; 0 if there is one of its key.
func (s *Store) AddNotice(ctx context.Context, n Notice) (int64, error) {
	return idOrZero(ctx, s.db, `
		insert into notices (key, event, at, product_id, document) values (@key, @event, @at, @product, @document)
		on conflict (key) do nothing returning id`,
		pgx.NamedArgs{"key": n.Key, "event": n.Event, "at": n.At, "product": n.ProductID, "document": n.Document})
}

// RemoveNotices removes those that are older than a time, with their deliveries.
func (s *Store) RemoveNotices(ctx context.Context, before time.Time) error {
	_, err := s.db.Exec(ctx, `
		delete from notices n where at < $1 and not exists (select from notice_deliveries d where d.notice_id = n.id and d.state in ('queued', 'held'))`, before)
	return err
}

// NoticeDelivery is a notice on its way over a channel.
type NoticeDelivery struct {
	ID         int64      `db:"id"`
	PublicID   string     `db:"public_id"`
	NoticeID   int64      `db:"notice_id"`
	Channel    string     `db:"channel"`
	Target     int64      `db:"target"`
	UserID     *int64     `db:"user_id"`
	Address    string     `db:"address"`
	State      string     `db:"state"` // queued, held, sent or failed
	DigestID   *int64     `db:"digest_id"`
	Attempts   int        `db:"attempts"`
	Status     int        `db:"status"` // of HTTP, the last time
	LastError  string     `db:"last_error"`
	ExternalID string     `db:"external_id"`
	Created    time.Time  `db:"created"`
	Finished   *time.Time `db:"finished"`
	Posting    *time.Time `db:"posting"` // somebody asked to post it then, and no answer is known

	Event    string          `db:"event"` // of the notice
	Document json.RawMessage `db:"document"`
}

const noticeDeliveryColumns = `d.id, d.public_id, d.notice_id, d.channel, d.target, d.user_id, d.address, d.state, d.digest_id, d.attempts, d.status,
	d.last_error, d.external_id, d.created, d.finished, d.posting, n.event, n.document`

const noticeDeliveryTables = `notice_deliveries d join notices n on n.id = d.notice_id`

// AddNoticeDelivery stores one and returns its id; 0 if it is there.
func (s *Store) AddNoticeDelivery(ctx context.Context, d NoticeDelivery) (int64, error) {
	return idOrZero(ctx, s.db, `
		insert into notice_deliveries (public_id, notice_id, channel, target, user_id, address, state, digest_id, created)
		values (@public, @notice, @channel, @target, @user, @address, @state, @digest, @created)
		on conflict do nothing returning id`, pgx.NamedArgs{
		"public": d.PublicID, "notice": d.NoticeID, "channel": d.Channel, "target": d.Target, "user": d.UserID, "address": d.Address,
		"state": d.State, "digest": d.DigestID, "created": d.Created,
	})
}

// NoticeDelivery returns one with its notice.
func (s *Store) NoticeDelivery(ctx context.Context, id int64) (NoticeDelivery, error) {
	return one[NoticeDelivery](ctx, s.db, "delivery", `select `+noticeDeliveryColumns+` from `+noticeDeliveryTables+` where d.id = $1`, id)
}

// HeldDeliveries returns those that a digest is made of, the oldest first.
func (s *Store) HeldDeliveries(ctx context.Context, digest int64) ([]NoticeDelivery, error) {
	return many[NoticeDelivery](ctx, s.db, `select `+noticeDeliveryColumns+` from `+noticeDeliveryTables+` where d.digest_id = $1 and d.state = 'held' order by d.id`, digest)
}

// DeliveryLog returns a page of what went to a target, the newest first.
func (s *Store) DeliveryLog(ctx context.Context, channel string, target int64, p Page) (List[NoticeDelivery], error) {
	var w where
	w.and("d.channel = ?", channel)
	w.and("d.target = ?", target)
	return list[NoticeDelivery](ctx, s.db, noticeDeliveryColumns, noticeDeliveryTables, &w, " order by d.id desc", p)
}

// DeliveryCounts are how many deliveries of a target stand how.
type DeliveryCounts struct {
	Channel string `db:"channel"`
	Target  int64  `db:"target"`
	Waiting int    `db:"waiting"` // queued or held
	Failed  int    `db:"failed"`  // within the last day
	Sent    int    `db:"sent"`    // likewise
}

// DeliveryCounts returns them for all targets.
func (s *Store) DeliveryCounts(ctx context.Context, now time.Time) ([]DeliveryCounts, error) {
	return many[DeliveryCounts](ctx, s.db, `
		select channel, target, count(*) filter (where state in ('queued', 'held'))::int as waiting,
			count(*) filter (where state = 'failed' and finished > $1)::int as failed, count(*) filter (where state = 'sent' and finished > $1)::int as sent
		from notice_deliveries where state in ('queued', 'held') or finished > $1
		group by 1, 2 order by 1, 2`, now.Add(-24*time.Hour))
}

// DeliveryDone notes that deliveries have arrived.
func (s *Store) DeliveryDone(ctx context.Context, ids []int64, status int, external string, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		update notice_deliveries set state = 'sent', attempts = attempts + 1, status = $2, external_id = $3, finished = $4, last_error = ''
		where id = any($1) and state <> 'sent'`, ids, status, external, now)
	return err
}

// DeliveryFailed notes an attempt that failed, and with final that there will be no other.
func (s *Store) DeliveryFailed(ctx context.Context, ids []int64, status int, reason string, final bool, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		update notice_deliveries set state = case when $4 then 'failed' else state end, attempts = attempts + 1, status = $2, last_error = $3,
			finished = case when $4 then $5::timestamptz end
		where id = any($1) and state <> 'sent'`, ids, status, reason, final, now)
	return err
}

// DeliveryPosting notes that deliveries are being posted from a time on; nil: it
// is known what became of that.
func (s *Store) DeliveryPosting(ctx context.Context, ids []int64, since *time.Time) error {
	_, err := s.db.Exec(ctx, `update notice_deliveries set posting = $2 where id = any($1)`, ids, since)
	return err
}

// RequeueDelivery makes one wait again; NotFound if it is not over.
func (s *Store) RequeueDelivery(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "delivery", `update notice_deliveries set state = 'queued', finished = null, posting = null where id = $1 and state in ('failed', 'sent')`, id)
}

// DigestOf returns the digest of an address that is due at a time, and whether
// it was made just now.
func (s *Store) DigestOf(ctx context.Context, connection int64, address string, due time.Time) (id int64, added bool, err error) {
	args := pgx.NamedArgs{"connection": connection, "address": address, "due": due}
	if id, err = idOrZero(ctx, s.db, `
		insert into notice_digests (connection_id, address, due) values (@connection, @address, @due)
		on conflict do nothing returning id`, args); err != nil || id != 0 {
		return id, id != 0, err
	}
	id, err = idOrZero(ctx, s.db, `select id from notice_digests where connection_id = @connection and address = @address and due = @due`, args)
	return id, false, err
}

// Digest is what is collected for one message.
type Digest struct {
	ID           int64     `db:"id"`
	ConnectionID int64     `db:"connection_id"`
	Address      string    `db:"address"`
	Due          time.Time `db:"due"`
}

// NoticeDigest returns one.
func (s *Store) NoticeDigest(ctx context.Context, id int64) (Digest, error) {
	return one[Digest](ctx, s.db, "digest", `select id, connection_id, address, due from notice_digests where id = $1`, id)
}

// LateDigests returns those that something is held for, though they were due
// before a time and have been sent: it was put there afterwards.
func (s *Store) LateDigests(ctx context.Context, before time.Time) ([]int64, error) {
	return scalars[int64](ctx, s.db, `
		select g.id from notice_digests g where g.due < $1 and exists (select from notice_deliveries d where d.digest_id = g.id and d.state = 'held')
			and exists (select from notice_deliveries d where d.digest_id = g.id and d.state in ('sent', 'failed')) order by 1`, before)
}

// OnceADay tells whether something has not been done on a day, and notes that it is now.
func (s *Store) OnceADay(ctx context.Context, name string, day time.Time) (bool, error) {
	tag, err := s.db.Exec(ctx, `insert into daily_runs (name, day) values ($1, $2) on conflict do nothing`, name, day)
	return err == nil && tag.RowsAffected() == 1, err
}

// TakeToken takes one token of a bucket that holds burst and gets rate a second.
// If there is none, it returns how long until there is one. Nodes share the bucket.
func (s *Store) TakeToken(ctx context.Context, channel, target string, rate, burst float64, now time.Time) (time.Duration, error) {
	args := pgx.NamedArgs{"channel": channel, "target": target, "rate": rate, "burst": burst, "now": now}
	tag, err := s.db.Exec(ctx, `
		insert into channel_buckets as b (channel, target, tokens, updated) values (@channel, @target, @burst::float8 - 1, @now)
		on conflict (channel, target) do update set tokens = `+refilled+` - 1, updated = greatest(b.updated, @now::timestamptz)
		where `+refilled+` >= 1`, args)
	if err != nil || tag.RowsAffected() == 1 {
		return 0, err
	}
	seconds, err := scalar[float64](ctx, s.db, `
		select greatest((1 - `+refilled+`) / @rate::float8, extract(epoch from b.updated - @now::timestamptz), 0.05)::float8 from channel_buckets b where channel = @channel and target = @target`, args)
	return time.Duration(seconds * float64(time.Second)), err
}

// refilled is what a bucket holds by now.
const refilled = `least(@burst::float8, b.tokens + greatest(extract(epoch from @now::timestamptz - b.updated), 0) * @rate::float8)`

// NoticePlace is where something happened, as far as it is known.
type NoticePlace struct {
	ProductTypeID  int64    `db:"product_type_id"`
	ProductType    string   `db:"product_type"`
	ProductID      int64    `db:"product_id"`
	Product        string   `db:"product"`
	Tags           []string `db:"tags"`
	Owners         []int64  `db:"owners"` // product manager, technical contact, team manager
	EngagementID   int64    `db:"engagement_id"`
	Engagement     string   `db:"engagement"`
	EngagementLead *int64   `db:"engagement_lead"`
	Branch         string   `db:"branch"`
	TestID         int64    `db:"test_id"`
	Test           string   `db:"test"`
}

// NoticePlace returns a product with, if their ids are not zero, an engagement
// and a test of it.
func (s *Store) NoticePlace(ctx context.Context, product, engagement, test int64) (NoticePlace, error) {
	return one[NoticePlace](ctx, s.db, "product", `
		select y.id as product_type_id, y.name as product_type, p.id as product_id, p.name as product, p.tags,
			array_remove(array[p.product_manager_id, p.technical_contact_id, p.team_manager_id], null) as owners,
			coalesce(e.id, 0) as engagement_id, coalesce(e.name, '') as engagement, e.lead_id as engagement_lead, coalesce(e.branch_tag, '') as branch,
			coalesce(t.id, 0) as test_id, coalesce(nullif(t.title, ''), tt.name, '') as test
		from products p join product_types y on y.id = p.prod_type_id
		left join engagements e on e.id = $2 and e.product_id = p.id
		left join tests t on t.id = $3 and t.engagement_id = e.id
		left join test_types tt on tt.id = t.test_type_id
		where p.id = $1`, product, engagement, test)
}

// NoticeFinding is a finding in a notice.
type NoticeFinding struct {
	ID       int64         `db:"id"`
	Title    string        `db:"title"`
	Severity gate.Severity `db:"severity"`
}

// NoticeFindings returns the worst of some findings.
func (s *Store) NoticeFindings(ctx context.Context, ids []int64, limit int) ([]NoticeFinding, error) {
	return many[NoticeFinding](ctx, s.db, `select id, title, severity from findings where id = any($1) order by severity desc, id limit $2`, orEmpty(ids), limit)
}

// ImportedRecord is what an import did, for a notice.
type ImportedRecord struct {
	UserID   *int64    `db:"user_id"`
	ScanType string    `db:"scan_type"`
	Branch   string    `db:"branch"`
	Type     string    `db:"type"`
	State    string    `db:"state"`
	At       time.Time `db:"at"`
	Actions  []byte    `db:"actions"` // action → ids
}

// ImportedRecord returns what an import did.
func (s *Store) ImportedRecord(ctx context.Context, id int64) (ImportedRecord, map[string][]int64, error) {
	r, err := one[ImportedRecord](ctx, s.db, "import", `
		select i.user_id, i.scan_type, coalesce(nullif(i.branch_tag, ''), e.branch_tag, '') as branch, i.type, i.state, i.created as at,
			coalesce((select jsonb_object_agg(a.action::text, to_jsonb(a.finding_ids)) from test_import_actions a where a.test_import_id = i.id), '{}') as actions
		from test_imports i left join tests t on t.id = i.test_id left join engagements e on e.id = t.engagement_id
		where i.id = $1`, id)
	if err != nil {
		return r, nil, err
	}
	actions := map[string][]int64{}
	return r, actions, json.Unmarshal(r.Actions, &actions)
}

// VerdictTurn is a verdict with the one that it takes the place of.
type VerdictTurn struct {
	ID         int64    `db:"id"`
	Overall    string   `db:"overall"`
	Before     string   `db:"before"` // blank: it is the first
	Conclusive bool     `db:"conclusive"`
	Branch     string   `db:"branch"`
	Why        []string `db:"why"`
}

// VerdictTurn returns a verdict with the one before it.
func (s *Store) VerdictTurn(ctx context.Context, id int64) (VerdictTurn, error) {
	return one[VerdictTurn](ctx, s.db, "verdict", `
		select v.id, v.overall, v.conclusive, v.branch,
			array(select jsonb_array_elements_text(case when jsonb_typeof(v.document -> 'why') = 'array' then v.document -> 'why' else '[]' end)) as why,
			coalesce((select b.overall from verdicts b where b.id = v.replaces), '') as before
		from verdicts v where v.id = $1`, id)
}

// NotedFinding is a note with the finding that it is about.
type NotedFinding struct {
	Entry        string        `db:"entry"`
	Private      bool          `db:"private"`
	AuthorID     int64         `db:"author_id"`
	FindingID    int64         `db:"finding_id"`
	Title        string        `db:"title"`
	Severity     gate.Severity `db:"severity"`
	ProductID    int64         `db:"product_id"`
	EngagementID int64         `db:"engagement_id"`
	TestID       int64         `db:"test_id"`
}

// NotedFinding returns a note of a finding.
func (s *Store) NotedFinding(ctx context.Context, note int64) (NotedFinding, error) {
	return one[NotedFinding](ctx, s.db, "note", `
		select n.entry, n.private, n.author_id, f.id as finding_id, f.title, f.severity, f.product_id, f.engagement_id, f.test_id
		from notes n join findings f on f.id = n.finding_id where n.id = $1`, note)
}

// WaiverNews is a waiver as notices tell of it.
type WaiverNews struct {
	ID        int64     `db:"id"`
	Name      string    `db:"name"`
	ProductID int64     `db:"product_id"`
	State     string    `db:"state"`
	Expires   time.Time `db:"expires"`
}

// WaiverNews returns one.
func (s *Store) WaiverNews(ctx context.Context, id int64) (WaiverNews, error) {
	return one[WaiverNews](ctx, s.db, "waiver", `select id, name, coalesce(product_id, 0) as product_id, state, expires from waivers where id = $1`, id)
}

// StopTokens leaves a bucket empty until a time.
func (s *Store) StopTokens(ctx context.Context, channel, target string, until time.Time) error {
	_, err := s.db.Exec(ctx, `
		insert into channel_buckets as b (channel, target, tokens, updated) values ($1, $2, 0, $3)
		on conflict (channel, target) do update set tokens = 0, updated = greatest(b.updated, $3)`, channel, target, until)
	return err
}

// PostponeDigest says that a digest is due at a time, so that nobody else makes
// a job for it meanwhile.
func (s *Store) PostponeDigest(ctx context.Context, id int64, due time.Time) error {
	_, err := s.db.Exec(ctx, `update notice_digests set due = $2 where id = $1`, id, due)
	return err
}

// RemoveBuckets removes those that nothing was taken from since a time: they are full.
func (s *Store) RemoveBuckets(ctx context.Context, before time.Time) error {
	_, err := s.db.Exec(ctx, `delete from channel_buckets where updated < $1`, before)
	return err
}
