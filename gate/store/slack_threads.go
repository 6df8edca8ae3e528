package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// SlackThread is the parent message of a product's branch in a channel.
type SlackThread struct {
	ConnectionID int64  `db:"connection_id"`
	Channel      string `db:"channel"`
	ProductID    int64  `db:"product_id"`
	Branch       string `db:"branch"`
	TS           string `db:"ts"`         // blank: not posted yet
	ChannelID    string `db:"channel_id"` // Slack's own name of the channel
	Content      string `db:"content"`    // digest of what it says

	Posting *time.Time `db:"posting"` // somebody asked to post it then, and no answer is known
	Intent  string     `db:"intent"`  // by which it is known again
}

const threadKey = `connection_id = @connection and channel = @channel and product_id = @product and branch = @branch`

func (t SlackThread) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"connection": t.ConnectionID, "channel": t.Channel, "product": t.ProductID, "branch": t.Branch,
		"ts": t.TS, "channel_id": t.ChannelID, "content": t.Content, "posting": t.Posting, "intent": t.Intent,
	}
}

// HoldSlackThread returns a thread that nobody else writes to until a time, or
// until it is let go; false if somebody else does just now.
func (s *Store) HoldSlackThread(ctx context.Context, t SlackThread, now, until time.Time) (SlackThread, bool, error) {
	args := t.args()
	args["now"], args["until"] = now, until
	rows, err := many[SlackThread](ctx, s.db, `
		insert into slack_threads as t (connection_id, channel, product_id, branch, busy_until) values (@connection, @channel, @product, @branch, @until)
		on conflict (connection_id, channel, product_id, branch) do update set busy_until = @until
		where t.busy_until is null or t.busy_until <= @now
		returning connection_id, channel, product_id, branch, ts, channel_id, content, posting, intent`, args)
	if err != nil || len(rows) == 0 {
		return t, false, err
	}
	return rows[0], true, nil
}

// SaveSlackThread writes what a thread is now.
func (s *Store) SaveSlackThread(ctx context.Context, t SlackThread) error {
	_, err := s.db.Exec(ctx, `update slack_threads set ts = @ts, channel_id = @channel_id, content = @content, posting = @posting, intent = @intent where `+threadKey, t.args())
	return err
}

// LetGoSlackThread lets others write to a thread.
func (s *Store) LetGoSlackThread(ctx context.Context, t SlackThread) error {
	_, err := s.db.Exec(ctx, `update slack_threads set busy_until = null where `+threadKey, t.args())
	return err
}

// BranchState is how a branch of a product stands: what the parent message says.
type BranchState struct {
	Product string  `db:"product"`
	Open    []int32 `db:"open"` // findings, by severity from Info to Critical
	Verdict string  `db:"verdict"`
	Reports int     `db:"reports"`
}

// BranchState returns how a branch stands now.
func (s *Store) BranchState(ctx context.Context, product int64, branch string) (BranchState, error) {
	return one[BranchState](ctx, s.db, "product", `
		with lines as (
			select id from engagements e where e.product_id = $1 and ($2 = '' or coalesce(nullif(e.branch_tag, ''), e.name) = $2)
		)
		select p.name as product,
			array(select (select count(*) from findings f where f.product_id = $1 and f.active and not f.duplicate and f.severity = s and f.engagement_id in (select id from lines))::int
				from generate_series(0, 4) s order by s) as open,
			coalesce((select v.overall from verdicts v where v.product_id = $1 and v.branch = $2 order by v.id desc limit 1), '') as verdict,
			(select count(*) from test_imports i join tests t on t.id = i.test_id where t.engagement_id in (select id from lines) and i.state = 'done')::int as reports
		from products p where p.id = $1`, product, branch)
}
