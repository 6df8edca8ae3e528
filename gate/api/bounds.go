package api

import (
	"cmp"

	"defectdojo/gate"
	"defectdojo/gate/ingest"
)

// inBounds returns nil if an import is within what the sender's token is for: a
// CI job that proved who it is can bring the reports of its own branch and commit.
func (r *request) inBounds(in ingest.Request, to ingest.Resolved) error {
	b := r.bounds()
	if b == nil {
		return nil
	}
	branch := deref(in.BranchTag)
	if branch != "" && branch != b.Branch {
		return outOfBounds(b.Within(branch, ""))
	}
	if in.CloseOldFindingsProductScope && len(b.Never) > 0 {
		return outOfBounds("a job of another branch than the default one cannot close findings of the whole product")
	}
	if err := commitInBounds(b, deref(in.CommitHash)); err != nil {
		return err
	}
	if to.EngagementID == 0 {
		return outOfBounds(b.Within(in.Target.EngagementName, branch))
	}
	return r.engagementInBounds(b, to.EngagementID)
}

// judgeInBounds is inBounds for a verdict. What the token proves of the build
// is taken from it, whatever the sender says.
func (r *request) judgeInBounds(in *judgeBody) error {
	b := r.bounds()
	if b == nil {
		return nil
	}
	if in.Branch != "" && in.Branch != b.Branch {
		return outOfBounds(b.Within(in.Branch, ""))
	}
	if err := commitInBounds(b, in.Commit); err != nil {
		return err
	}
	in.Branch, in.Commit = b.Branch, cmp.Or(b.Commit, in.Commit)
	if b.PullRequest {
		in.Event = "pull_request"
	}
	return r.engagementInBounds(b, in.Engagement)
}

func (r *request) bounds() *gate.Bounds {
	if r.who.Token == nil {
		return nil
	}
	return r.who.Token.Bounds
}

func (r *request) engagementInBounds(b *gate.Bounds, id int64) error {
	e, err := r.Store.Engagement(r.ctx, gate.Scope{All: true}, id)
	if err != nil {
		return err
	}
	return outOfBounds(b.Within(e.Name, deref(e.BranchTag)))
}

func commitInBounds(b *gate.Bounds, commit string) error {
	if b.Commit != "" && commit != "" && commit != b.Commit {
		return outOfBounds("this job is of the commit " + b.Commit + ": it cannot bring reports of another")
	}
	return nil
}

func outOfBounds(why string) error {
	if why == "" {
		return nil
	}
	return gate.Errorf(gate.Forbidden, "%s", why)
}
