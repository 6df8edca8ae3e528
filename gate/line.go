package gate

import (
	"strconv"
	"strings"
)

// Line is a line of work: a branch or a pull request of a repository, or of a
// part of one. Several may share an engagement; the reports of each are then in
// tests of their own, and each has verdicts of its own.
type Line struct {
	Repository string `json:"repository,omitempty"`
	Component  string `json:"component,omitempty"` // a part of a monorepo
	Ref        string `json:"ref,omitempty"`       // BranchRef or PullRef; blank: nobody said
}

// BranchRef is the ref of a branch, as git has it; blank for none.
func BranchRef(branch string) string {
	if branch == "" {
		return ""
	}
	return "refs/heads/" + branch
}

const pullRefs = "refs/pull/"

// PullRef is the ref of a pull request, as GitHub has it, whatever the code host.
func PullRef(number int) string { return pullRefs + strconv.Itoa(number) + "/head" }

// IsPull tells whether the line is a pull request.
func (l Line) IsPull() bool { return strings.HasPrefix(l.Ref, pullRefs) }

// Pull returns the number of the pull request that the line is; ok is false if it
// is none.
func (l Line) Pull() (number int, ok bool) {
	rest, ok := strings.CutPrefix(l.Ref, pullRefs)
	if !ok {
		return 0, false
	}
	number, err := strconv.Atoi(strings.TrimSuffix(rest, "/head"))
	return number, err == nil
}

// Holds tells whether a test's reports are of the line. What one of them does not
// say keeps them not apart, but for pull requests: nothing of one is of a line
// that does not name it.
func (l Line) Holds(test Line) bool {
	if l.Ref == "" && test.IsPull() {
		return false
	}
	return agree(l.Ref, test.Ref) && agree(l.Repository, test.Repository) && agree(l.Component, test.Component)
}

func agree(a, b string) bool { return a == "" || b == "" || a == b }

// String is the line for people.
func (l Line) String() string {
	ref := l.Ref
	if number, ok := strings.CutPrefix(ref, pullRefs); ok {
		ref = "pull request " + strings.TrimSuffix(number, "/head")
	} else if branch, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		ref = "branch " + branch
	}
	var parts []string
	for _, s := range []string{l.Repository, l.Component, ref} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}
