package gate

import "slices"

// Bounds are what the token of a CI job is for, beyond its products: the line of
// work that the job is of. A job of a pull request cannot touch the reports of
// the default branch, with which pull requests are compared.
type Bounds struct {
	Branch      string   `json:"branch"`                 // of the reports that it may bring
	Commit      string   `json:"commit,omitempty"`       // and their commit; blank: any
	PullRequest bool     `json:"pull_request,omitempty"` // it is of a pull request
	Never       []string `json:"never,omitempty"`        // branches that it cannot touch: those that others are compared with
	Job         string   `json:"job"`                    // "github acme/shop 77.1", for people
}

// Within tells why reports of a line of work are out of bounds; "" if they are
// not. name and branch are an engagement's; a blank branch is its name.
func (b *Bounds) Within(name, branch string) string {
	if b == nil {
		return ""
	}
	line := branch
	if line == "" {
		line = name
	}
	switch {
	case line != b.Branch:
		return "this job is of the branch " + b.Branch + ": it cannot bring reports of " + line
	case slices.Contains(b.Never, line) || slices.Contains(b.Never, name):
		return "this job is of the branch " + b.Branch + ": it cannot bring reports of " + name + ", with which others are compared"
	}
	return ""
}
