package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// LineTest is a test with the line of work that its reports are of.
type LineTest struct {
	ID         int64
	Repository string
	Component  string
	Ref        string
}

// Line is the test's line of work.
func (t LineTest) Line() gate.Line {
	return gate.Line{Repository: t.Repository, Component: t.Component, Ref: t.Ref}
}

// LineTests returns the tests of an engagement.
func (s *Store) LineTests(ctx context.Context, engagement int64) ([]LineTest, error) {
	return many[LineTest](ctx, s.db, `select id, repository, component, ref from tests where engagement_id = $1 order by id`, engagement)
}

// LineImport is an import with the line of work that it is of.
type LineImport struct {
	LineTest
	Branch string
	Commit string
}

// LineImport returns what an import is of; NotFound if it is gone.
func (s *Store) LineImport(ctx context.Context, id int64) (LineImport, error) {
	return one[LineImport](ctx, s.db, "import", `
		select t.id, t.repository, t.component, t.ref, coalesce(i.branch_tag, '') as branch, coalesce(i.commit_hash, '') as commit
		from test_imports i join tests t on t.id = i.test_id where i.id = $1`, id)
}

// VerdictLine is what a verdict is about, whatever its commit: it takes the place
// of those before it that are about the same.
type VerdictLine struct {
	Engagement  int64
	Environment string
	gate.Line
}

// sameLine selects the verdicts of a VerdictLine. A repository that one of them
// does not name is the same.
const sameLine = `engagement_id = @engagement and ref = @ref and component = @component and environment = @environment
	and (repository = @repository or repository = '' or @repository = '')`

func (l VerdictLine) args() pgx.NamedArgs {
	return pgx.NamedArgs{"engagement": l.Engagement, "environment": l.Environment, "ref": l.Ref, "component": l.Component, "repository": l.Repository}
}

// LastVerdict returns the newest verdict of a line; NotFound if there is none.
func (s *Store) LastVerdict(ctx context.Context, l VerdictLine) (StoredVerdict, error) {
	return one[StoredVerdict](ctx, s.db, "verdict", `select `+storedVerdictColumns+` from verdicts where `+sameLine+` order by id desc limit 1`, l.args())
}

// VerdictBefore returns the newest verdict of the line that an import is of, as
// far as the import tells: by its test, else by its commit or branch. Where an
// engagement has verdicts of one line only, all is of that. NotFound if there is none.
func (s *Store) VerdictBefore(ctx context.Context, engagement int64, i LineImport) (StoredVerdict, error) {
	return one[StoredVerdict](ctx, s.db, "verdict", `
		select `+storedVerdictColumns+` from verdicts v
		where engagement_id = @engagement and case
			when @ref <> '' then ref = @ref and (component = @component or @component = '') and (repository = @repository or repository = '' or @repository = '')
			else @commit <> '' and commit_hash = @commit or @branch <> '' and branch = @branch and pull_request = ''
				or (select count(distinct o.ref) from verdicts o where o.engagement_id = @engagement) = 1 end
		order by (@commit <> '' and commit_hash = @commit) desc, id desc limit 1`, pgx.NamedArgs{
		"engagement": engagement, "ref": i.Ref, "component": i.Component, "repository": i.Repository, "commit": i.Commit, "branch": i.Branch,
	})
}

// EngagementVerdict returns the newest verdict of an engagement, of whatever
// line; NotFound if there is none.
func (s *Store) EngagementVerdict(ctx context.Context, engagement int64) (StoredVerdict, error) {
	return one[StoredVerdict](ctx, s.db, "verdict", `select `+storedVerdictColumns+` from verdicts where engagement_id = $1 order by id desc limit 1`, engagement)
}
