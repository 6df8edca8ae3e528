package tracker

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"defectdojo/gate/store"
	"defectdojo/integrations/jira/jiratest"
)

// model is a finding and its ticket without the world around them.
type model struct {
	r         *rand.Rand
	open      bool
	dismissed bool
	done      bool
	meaning   meaning
	base      bool
	claim     meaning
	proof     proof
	refused   bool
	mode      string
	acts      int // of ours: transitions, and changes of the finding
}

// sync does what the reconciler does; dying leaves it half done.
func (m *model) sync(dying bool) {
	before := *m
	d := merge(view{Kind: aFinding, Open: m.open, Dismissed: m.dismissed, Base: m.base, Theirs: m.done, Claim: m.claim, Resolution: m.meaning, Mode: m.mode, Proof: m.proof, Refused: m.refused})
	switch d.Act {
	case mitigate:
		m.open, m.dismissed = false, false
	case accept, dismiss:
		m.open, m.dismissed = false, true
	case reopen:
		m.open, m.dismissed = true, false
	case nothing, askWaiver:
	}
	if dying && m.r.IntN(2) == 0 {
		return
	}
	if d.Move {
		if m.done = d.Agreed; m.done {
			m.meaning = fixed
		}
	}
	if dying {
		return
	}
	m.base, m.claim = d.Agreed, d.Claim
	if m.claim == "" || m.claim != before.claim {
		m.proof, m.refused = noScan, false
	}
	if d.Move || d.Act != nothing {
		m.acts++
	}
}

// step is something that happens, in any order.
func (m *model) step() {
	switch m.r.IntN(10) {
	case 0, 1:
		m.done, m.meaning = true, []meaning{fixed, fixed, wontDo, falsePositive}[m.r.IntN(4)]
	case 2:
		m.done = false
	case 3:
		m.open, m.dismissed = false, m.r.IntN(2) == 0
	case 4:
		m.open, m.dismissed = true, false
	case 5:
		if m.claim == fixed && m.proof == noScan {
			m.proof = []proof{stillThere, notThere}[m.r.IntN(2)]
		}
	case 6:
		m.refused = m.claim != "" && m.claim != fixed
	case 7:
		m.sync(true)
	default: // a webhook, or two; those that are lost are the steps without one
		m.sync(false)
	}
}

// TestMergeConverges: whatever happens in whatever order, with events lost and
// repeated and workers dying, both sides agree in the end, and then nothing
// moves any more.
func TestMergeConverges(t *testing.T) {
	t.Parallel()
	const sequences = 50_000
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	echoes := 0
	for n := range sequences {
		m := &model{r: r, open: true, mode: []string{"claim", "claim", "defectdojo", "none"}[r.IntN(4)]}
		for range 2 + r.IntN(20) {
			m.step()
		}
		for range 4 {
			m.sync(false)
		}
		acts := m.acts
		for range 3 {
			m.sync(false)
		}
		if m.acts != acts {
			echoes++
		}
		if want := !m.open || m.claim != ""; m.done != want || m.base != want || m.mode != "claim" && m.claim != "" {
			t.Fatalf("seed %d, sequence %d: %+v", seed, n, *m)
		}
	}
	if echoes != 0 {
		t.Errorf("seed %d: %d sequences never come to rest", seed, echoes)
	}
	t.Logf("%d sequences converge, %d echoes", sequences, echoes)
}

// TestWorldConverges is the same with the database, JIRA and its faults: people
// there and here, scans, webhooks lost, repeated and late, requests that fail
// after they were done, workers that die. In the end there is one ticket with
// one state, everything was said once on each side, and nobody says anything
// any more. DD_LONG_TESTS=1 makes it 10,000 sequences (with -timeout 90m). A world
// is small on purpose: each scan wakes all of its tickets, so twice as many
// findings in one cost four times as much and bring no other orders.
func TestWorldConverges(t *testing.T) {
	t.Parallel()
	worlds, findings := 2, 15
	if os.Getenv("DD_LONG_TESTS") != "" {
		worlds, findings = 500, 20
	}
	var good, echoes, events atomic.Int32
	t.Cleanup(func() {
		fmt.Printf("orders: %d/%d random sequences converge, %d echoes, %d events\n", good.Load(), worlds*findings, echoes.Load(), events.Load())
	})
	for n := range worlds {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano()) + uint64(n)
			t.Logf("seed %d", seed)
			c := &chaos{world: newWorld(t, findings), r: rand.New(rand.NewPCG(seed, 2)), n: findings, said: map[int64]int{}, written: map[int64]int{}}
			c.live()
			events.Add(int32(8 * c.n))
			echoes.Add(int32(c.rest()))
			good.Add(int32(c.check()))
		})
	}
}

// chaos is a world in which things happen at random.
type chaos struct {
	*world

	r       *rand.Rand
	n       int
	said    map[int64]int // comments by people there
	written map[int64]int // notes by people here
}

func (c *chaos) live() {
	c.slow(10 * time.Second)
	c.jira.Lag = time.Duration(c.r.IntN(90)) * time.Second
	all := make([]int64, c.n)
	for i := range all {
		all[i] = int64(i + 1)
	}
	c.jira.Fault = func(call jiratest.Call) jiratest.Fault {
		c.mu.Lock()
		defer c.mu.Unlock()
		if x := c.r.IntN(100); x < 6 {
			faults := []jiratest.Fault{jiratest.ResetBefore, jiratest.ResetAfter, jiratest.ErrorAfter, jiratest.TooMany, jiratest.Unavailable, jiratest.ResponseCut}
			return faults[x]
		}
		return jiratest.OK
	}
	c.die = func(string, store.Ticket) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.r.IntN(50) == 0 {
			return errDied
		}
		return nil
	}
	c.push(all...)
	c.run(time.Hour)
	for range 8 * c.n {
		c.happen(int64(1 + c.r.IntN(c.n)))
	}
	c.jira.Fault, c.die = nil, nil
	c.hours(14)
}

func (c *chaos) random(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r.IntN(n)
}

// happen does one thing to one finding or its ticket.
func (c *chaos) happen(id int64) {
	k := c.ticket(id)
	key := k.JIRAKey
	if key == "" {
		c.run(time.Minute)
		return
	}
	switch c.random(12) {
	case 0, 1:
		c.jira.Move(key, "Done", "Done")
	case 2:
		c.jira.Move(key, "To Do", "")
	case 3:
		c.jira.Say(key, "bob", fmt.Sprintf("comment %d on %d", c.said[id], id))
		c.said[id]++
	case 4:
		c.act(fmt.Sprintf("note %d on %d", c.written[id], id), id)
		c.written[id]++
	case 5:
		c.act("close", id)
	case 6:
		c.act("reopen", id)
	case 7:
		var shown []int64
		for f := range int64(c.n) {
			if c.random(4) > 0 {
				shown = append(shown, f+1)
			}
		}
		c.scan("succeeded", false, shown...)
	default:
		c.run(time.Duration(c.random(120)) * time.Second)
	}
	for range c.random(3) { // no webhook, one, or the same twice
		c.hear(key)
	}
	c.pass(time.Second)
}

// rest returns how many requests still change something when nothing happens.
func (c *chaos) rest() int {
	writes := func() int { return len(c.jira.Calls("POST", "")) + len(c.jira.Calls("PUT", "")) }
	before := writes()
	for id := range int64(c.n) {
		c.hear(c.ticket(id + 1).JIRAKey)
	}
	c.hours(8)
	if echoes := writes() - before; echoes != 0 {
		c.t.Errorf("%d requests changed something though nothing had happened", echoes)
		return echoes
	}
	return 0
}

// check counts the findings with which all is well.
func (c *chaos) check() int {
	issues, good := c.jira.Issues(), 0
	for n := range int64(c.n) {
		id := n + 1
		k, f := c.ticket(id), c.finding(id)
		i := c.issue(k.JIRAKey)
		want := !f.Active || k.Claim != ""
		twins := count(issues, func(o jiratest.Issue) bool {
			return o.Open() && o.Key != i.Key && strings.Contains(strings.Join(o.Labels(), " "), label(k.IntentID))
		})
		heard, told, marks := 0, 0, map[string]bool{}
		for _, note := range c.notes(id) {
			if strings.HasPrefix(note, "(bob there): comment ") {
				heard++
			}
			if strings.Contains(note, "(DefectDojo ") {
				c.t.Errorf("finding %d heard an echo: %s", id, note)
			}
		}
		for _, o := range i.Comments {
			if o.Author != c.jira.Account {
				continue
			}
			if strings.HasPrefix(o.Body, "(jane): note ") {
				told++
			}
			mark := o.Body[strings.LastIndex(o.Body, "\n")+1:]
			if marks[mark] {
				c.t.Errorf("finding %d: %s was said twice", id, mark)
			}
			marks[mark] = true
		}
		if i.Open() == want || k.AgreedDone != want || twins != 0 || heard != c.said[id] || told != c.written[id] || k.Due != nil {
			c.t.Errorf("finding %d: active %v, claim %q, ticket done %v (agreed %v), %d twins, heard %d of %d, told %d of %d, due %v, %s",
				id, f.Active, k.Claim, !i.Open(), k.AgreedDone, twins, heard, c.said[id], told, c.written[id], k.Due, k.Error)
			continue
		}
		good++
	}
	return good
}
