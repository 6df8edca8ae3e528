package policies

import (
	"slices"

	"defectdojo/gate"
)

// room is what is left of the rules' budgets, were some findings gone.
type room struct {
	limits  []budget
	members map[int][]member // finding → what it counts for
}

// budget is one limit, with how many findings still stand behind each key.
type budget struct {
	max   int
	left  map[string]int
	count int // keys with findings left
}

type member struct {
	limit int
	key   string
}

// newRoom has all findings gone.
func newRoom(rules []*ruleRun) *room {
	rm := &room{members: map[int][]member{}}
	for _, r := range rules {
		first := len(rm.limits)
		for i := range r.limits {
			l := &r.limits[i]
			b := budget{max: l.max, left: map[string]int{}}
			if r.fallback() != gate.Fail {
				b.max += l.maxUnknown
			}
			rm.limits = append(rm.limits, b)
		}
		r.all(func(at int, counted bool) {
			if !counted && r.fallback() != gate.Fail {
				return // not knowing does not fail the build
			}
			f, i := &r.pr.in.Head[at], first
			if r.rule.Ratchet != nil {
				i += slices.Index(r.ratchetKeys(), r.ratchetKey(f))
			}
			rm.members[at] = append(rm.members[at], member{i, r.rule.key(f)})
		})
	}
	return rm
}

// takeBack puts findings back if every budget still holds, and tells so.
func (rm *room) takeBack(ats []int) bool {
	rm.put(ats, 1)
	for _, at := range ats {
		for _, m := range rm.members[at] {
			if b := &rm.limits[m.limit]; b.count > b.max {
				rm.put(ats, -1)
				return false
			}
		}
	}
	return true
}

func (rm *room) put(ats []int, n int) {
	for _, at := range ats {
		for _, m := range rm.members[at] {
			b := &rm.limits[m.limit]
			before := b.left[m.key]
			b.left[m.key] = before + n
			switch {
			case before == 0:
				b.count++
			case before+n == 0:
				b.count--
			}
		}
	}
}
