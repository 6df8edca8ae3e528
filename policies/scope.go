package policies

import (
	"slices"
)

// event returns what made the build run.
func (c *Context) event() Event {
	if c.Event == "" {
		return Push
	}
	return c.Event
}

// target returns the branch that the change is for.
func (c *Context) target() string {
	if c.TargetBranch != "" {
		return c.TargetBranch
	}
	return c.Branch
}

// isChange tells whether the build is of a change that is not in its target yet.
func (c *Context) isChange() bool { return c.event() == PullRequest || c.event() == MergeGroup }

// applies tells whether a policy is for a build. It is unknown if the scope's
// expression needs something that is not known.
func (p *Policy) applies(c *Context, v *vars) (tri, result) {
	s := &p.Spec.Scope
	fits := s.Products.has(&c.Product) &&
		fits(s.Components, c.Component) && fits(s.Repositories, c.Repository) &&
		(len(s.Events) == 0 || slices.Contains(s.Events, string(c.event()))) &&
		fits(s.TargetBranches, c.target()) && fits(s.Environments, c.Environment)
	if !fits {
		return no, result{}
	}
	if p.scopeWhen == nil {
		return yes, result{}
	}
	r := p.scopeWhen.eval(v)
	return r.is, r
}

// fits tells whether there is no limit or one of the globs matches.
func fits(globs []string, s string) bool {
	return len(globs) == 0 || matchAny(newGlobs(globs), s)
}

func (s *ProductScope) has(p *Product) bool {
	if len(s.Exclude) > 0 && matchAny(newGlobs(s.Exclude), p.Name) {
		return false
	}
	if !fits(s.Types, p.Type) {
		return false
	}
	if len(s.Tags) == 0 && len(s.Names) == 0 {
		return true
	}
	return len(s.Names) > 0 && matchAny(newGlobs(s.Names), p.Name) ||
		slices.ContainsFunc(s.Tags, func(t string) bool { return slices.Contains(p.Tags, t) })
}
