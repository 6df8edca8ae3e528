package policies

import (
	"cmp"
	"slices"
	"time"

	"defectdojo/gate"
)

// Kinds of baseline.
const (
	BaselineMergeBase = "merge_base" // the commit that a change forked from
	BaselineAncestor  = "ancestor"   // the nearest one before it that was scanned
	BaselineGroupBase = "group_base" // the base of a merge queue's group
	BaselinePrevious  = "previous"   // the last scan of the branch
)

// Scanned is a commit that was scanned.
type Scanned struct {
	Commit   string
	Branch   string
	Distance int // commits from the merge base (of a change) or the head (of a push) back to it; negative: not an ancestor
	At       time.Time
	Runs     []Run
}

// Choice is the baseline to compare with: for each tool where its last complete
// run is. Take the findings, inventory and closed fingerprints of each tool from
// its commit.
type Choice struct {
	Kind     string
	Commit   string
	Branch   string
	Distance int
	Tools    map[string]Scanned
}

// ChooseBaseline chooses for each tool of the head the scan to compare with: of a
// change the merge base's, of a merge group its base's, else the nearest
// ancestor's on the target branch; of a push the branch's last before it. Runs
// that failed, are partial, or were made where the change's author decides, are
// no baseline. It returns nil if there is none for any tool.
func ChooseBaseline(c *Context, tools []string, scanned []Scanned) *Choice {
	choice := &Choice{Tools: map[string]Scanned{}}
	ranked := slices.Clone(scanned)
	slices.SortStableFunc(ranked, func(a, b Scanned) int { return cmp.Or(cmp.Compare(a.Distance, b.Distance), b.At.Compare(a.At)) })
	for _, tool := range tools {
		i := slices.IndexFunc(ranked, func(s Scanned) bool { return c.fit(&s) && s.complete(tool) })
		if i < 0 {
			continue
		}
		s := ranked[i]
		choice.Tools[tool] = s
		if choice.Kind == "" || s.Distance < choice.Distance {
			choice.Kind, choice.Commit, choice.Branch, choice.Distance = c.kindOf(&s), s.Commit, s.Branch, s.Distance
		}
	}
	if choice.Kind == "" {
		return nil
	}
	return choice
}

// fit tells whether a scan could be the baseline of a build.
func (c *Context) fit(s *Scanned) bool {
	if s.Distance < 0 {
		return false
	}
	if !c.isChange() {
		return s.Branch == c.Branch && (s.Commit == "" || s.Commit != c.HeadCommit)
	}
	return s.Commit != "" && s.Commit == c.exactBase() || s.Branch == c.target()
}

// exactBase returns the commit that a change is made on.
func (c *Context) exactBase() string {
	if c.event() == MergeGroup {
		return c.BaseCommit
	}
	return c.MergeBase
}

func (c *Context) kindOf(s *Scanned) string {
	switch {
	case !c.isChange():
		return BaselinePrevious
	case s.Commit == "" || s.Commit != c.exactBase():
		return BaselineAncestor
	case c.event() == MergeGroup:
		return BaselineGroupBase
	}
	return BaselineMergeBase
}

// complete tells whether a tool looked at everything there.
func (s *Scanned) complete(tool string) bool {
	return slices.ContainsFunc(s.Runs, func(r Run) bool {
		return sameTool(r.Tool, tool) && (r.Outcome == gate.Unsaid || r.Outcome == gate.Succeeded) && !r.Untrusted
	})
}

// Baseline makes the baseline without its content: the caller adds findings,
// closed fingerprints and inventory.
func (ch *Choice) Baseline() *Baseline {
	if ch == nil {
		return nil
	}
	b := &Baseline{Kind: ch.Kind, Commit: ch.Commit, Branch: ch.Branch, Distance: ch.Distance}
	for tool, s := range ch.Tools {
		b.Scanners = append(b.Scanners, tool)
		if s.Commit != ch.Commit {
			if b.Commits == nil {
				b.Commits = map[string]string{}
			}
			b.Commits[tool] = s.Commit
		}
	}
	slices.Sort(b.Scanners)
	return b
}
