package notification

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

func row(events ...string) *store.NotificationRow {
	r := &store.NotificationRow{Events: map[string][]string{}}
	for _, e := range events {
		name, channels, _ := strings.Cut(e, ":")
		r.Events[name] = strings.Fields(channels)
	}
	return r
}

func always(Channel) bool { return true }

// told writes deliveries as "0:alert 2:mail".
func told(list []Delivery) string {
	var out []string
	for _, d := range list {
		out = append(out, fmt.Sprintf("%d:%s", d.User, d.Channel))
	}
	return strings.Join(out, " ")
}

// TestRoute is the routing matrix: the system's, personal and per-product
// preferences, superusers, people by name, and events that trump.
func TestRoute(t *testing.T) {
	t.Parallel()
	product := &Ref{7, "shop"}
	system := row("scan_added: slack msteams mail webhooks", "user_mentioned: mail", "other: webhooks")
	tests := []struct {
		name   string
		n      Notice
		system *store.NotificationRow
		people []Member
		open   func(Channel) bool
		want   string
	}{
		{"nobody_has_said_anything", Notice{Event: ScanAdded, Product: product}, nil, []Member{{ID: 1, Sees: true}}, always, "0:alert"},
		{"empty_import_by_default", Notice{Event: ScanAddedEmpty, Product: product}, nil, []Member{{ID: 1, Sees: true, Superuser: true}}, always, ""},
		{"empty_import_when_wanted", Notice{Event: ScanAddedEmpty, Product: product}, row("scan_added_empty: slack"), []Member{{ID: 1, Sees: true, Superuser: true}}, always, "0:slack 1:slack"},
		{"the_system", Notice{Event: ScanAdded, Product: product}, system, nil, always, "0:mail 0:slack 0:msteams 0:webhooks"},
		{"a_channel_that_is_not_set_up", Notice{Event: ScanAdded, Product: product}, system, nil, func(c Channel) bool { return c == Mail }, "0:mail"},
		{"alerts_are_always_open", Notice{Event: ScanAdded, Product: product}, nil, nil, func(Channel) bool { return false }, "0:alert"},
		{"no_users", Notice{Event: ScanAdded, Product: product, NoUsers: true}, system, []Member{{ID: 1, Sees: true, Superuser: true}}, always, "0:mail 0:slack 0:msteams 0:webhooks"},
		{"personal", Notice{Event: ScanAdded, Product: product}, row("scan_added:"), []Member{{ID: 2, Sees: true, Global: row("scan_added: mail")}}, always, "2:mail"},
		{"personal_default_is_alert", Notice{Event: ScanAdded, Product: product}, row("scan_added:"), []Member{{ID: 2, Sees: true, Global: row()}}, always, "2:alert"},
		{"personal_and_product_are_united", Notice{Event: ScanAdded, Product: product}, row("scan_added:"), []Member{{ID: 2, Sees: true, Global: row("scan_added: mail"), Product: row("scan_added: slack mail")}}, always, "2:mail 2:slack"},
		{"product_alone", Notice{Event: ScanAdded, Product: product}, row("scan_added:"), []Member{{ID: 2, Sees: true, Product: row("scan_added: slack")}}, always, "2:slack"},
		{"empty_import_is_united_too", Notice{Event: ScanAddedEmpty, Product: product}, nil, []Member{{ID: 2, Sees: true, Global: row(), Product: row("scan_added_empty: mail")}}, always, "2:mail"},
		{"who_may_not_see_it", Notice{Event: ScanAdded, Product: product}, row("scan_added:"), []Member{{ID: 2, Global: row("scan_added: mail")}}, always, ""},
		{"superuser_gets_the_systems_too", Notice{Event: ScanAdded, Product: product}, row("scan_added: slack"), []Member{{ID: 1, Sees: true, Superuser: true, Global: row("scan_added: mail")}}, always, "0:slack 1:mail 1:slack"},
		{"superuser_without_preferences", Notice{Event: ScanAdded, Product: product}, row("scan_added: mail"), []Member{{ID: 1, Sees: true, Superuser: true}}, always, "0:mail 1:mail"},
		{"teams_has_no_people", Notice{Event: ScanAdded, Product: product}, row("scan_added: msteams"), []Member{{ID: 1, Sees: true, Superuser: true, Global: row("scan_added: msteams")}}, always, "0:msteams"},
		{"an_event_without_a_column", Notice{Event: "product_deleted"}, system, []Member{{ID: 1, Sees: true, Superuser: true}}, always, "0:webhooks 1:webhooks"},
		{"by_name", Notice{Event: "jira_comment", Only: true, To: []int64{2}}, system, []Member{{ID: 2, Global: row("other: mail")}, {ID: 3, Superuser: true, Sees: true, Global: row("other: mail")}}, always, "2:mail"},
		{"by_name_does_not_use_the_product", Notice{Event: "jira_comment", Product: product, Only: true, To: []int64{2}}, system, []Member{{ID: 2, Sees: true, Product: row("other: mail")}}, always, ""},
		{"by_name_without_preferences", Notice{Event: "jira_comment", Only: true, To: []int64{2}}, system, []Member{{ID: 2}}, always, ""},
		{"by_name_to_nobody", Notice{Event: UserMentioned, Only: true}, system, []Member{{ID: 2, Superuser: true, Sees: true}}, always, ""},
		{"mention_trumps", Notice{Event: UserMentioned, Only: true, To: []int64{2, 3}}, system, []Member{{ID: 2, Global: row("user_mentioned: slack")}, {ID: 3}}, always, "2:mail 2:slack 3:mail"},
		{"review_trumps", Notice{Event: ReviewRequested, Only: true, To: []int64{3}}, row("review_requested: mail alert"), []Member{{ID: 3, Global: row("review_requested:")}}, always, "3:alert 3:mail"},
		{"a_template_is_nobodys", Notice{Event: ScanAdded}, row("scan_added:"), []Member{{ID: 2, Sees: true, Global: &store.NotificationRow{Template: true}}}, always, ""},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, told(Route(tt.n, Directory{tt.system, tt.people}, tt.open))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestRoute_floor_and_filter: each row's floor and filter are for that row alone.
func TestRoute_floor_and_filter(t *testing.T) {
	t.Parallel()
	high := gate.High
	n := Notice{Event: ScanAdded, Product: &Ref{7, "shop"}, Branch: "main", Severity: &high, Counts: map[string]int{"new": 3}, Tags: []string{"pci"}}
	with := func(r *store.NotificationRow, floor gate.Severity, filter string) *store.NotificationRow {
		r.MinSeverity, r.Filter = floor, filter
		return r
	}
	tests := []struct {
		name string
		row  *store.NotificationRow
		want string
	}{
		{"floor_reached", with(row("scan_added: mail"), gate.High, ""), "2:mail"},
		{"floor_missed", with(row("scan_added: mail"), gate.Critical, ""), ""},
		{"filter_true", with(row("scan_added: mail"), 0, `n.severity >= severity.high && n.branch == "main" && "pci" in n.tags && n.new > 2`), "2:mail"},
		{"filter_false", with(row("scan_added: mail"), 0, `n.product.startsWith("other")`), ""},
		{"filter_fails", with(row("scan_added: mail"), 0, `1 / (n.new - 3) > 0`), "2:mail"},
	}
	for _, tt := range tests {
		if got := told(Route(n, Directory{row("scan_added:"), []Member{{ID: 2, Sees: true, Global: tt.row}}}, always)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	n.Severity = nil
	if got := told(Route(n, Directory{with(row("scan_added: mail"), gate.Critical, ""), nil}, always)); got != "0:mail" {
		t.Errorf("a notice about no finding met a floor: %q", got)
	}
}

func TestCheckFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"true": true, `n.event == "scan_added"`: true, "n.new": false, "n.nothing == 1": false, "n.new ==": false,
		strings.Repeat("a", MaxFilter+1): false,
		`n.tags.all(a, n.tags.all(b, n.tags.all(c, n.tags.all(d, a + b + c + d != "")))) `: false,
	} {
		if err := CheckFilter(text); (err == nil) != want || err != nil && gate.KindOf(err) != gate.Invalid {
			t.Errorf("CheckFilter(%.60q): %v", text, err)
		}
	}
}

// TestRoute_random: whatever people have chosen, nobody is told of what they
// may not see, nobody over a channel that neither they nor, for superusers and
// trumps, the system has chosen, and nobody twice.
func TestRoute_random(t *testing.T) {
	t.Parallel()
	const rounds = 20_000
	seen := map[string]bool{}
	r := newRand(t)
	for range rounds {
		events := []string{ScanAdded, ScanAddedEmpty, UserMentioned, ReviewRequested, Other, "finding_closed", SLABreach}
		n := Notice{Event: events[r.IntN(len(events))], Only: r.IntN(3) == 0, NoUsers: r.IntN(5) == 0}
		randomRow := func() *store.NotificationRow {
			if r.IntN(3) == 0 {
				return nil
			}
			out := &store.NotificationRow{Events: map[string][]string{}}
			if r.IntN(4) > 0 {
				chosen := []string{}
				for _, c := range Channels {
					if r.IntN(2) == 0 {
						chosen = append(chosen, string(c))
					}
				}
				out.Events[Column(n.Event)] = chosen
			}
			return out
		}
		d := Directory{System: randomRow()}
		for id := range int64(1 + r.IntN(5)) {
			p := Member{ID: id + 1, Superuser: r.IntN(3) == 0, Sees: r.IntN(2) == 0, Global: randomRow(), Product: randomRow()}
			p.Sees = p.Sees || p.Superuser
			d.People = append(d.People, p)
			if r.IntN(2) == 0 {
				n.To = append(n.To, p.ID)
			}
		}
		closed := Channels[r.IntN(len(Channels))]
		out := Route(n, d, func(c Channel) bool { return c != closed })
		once := map[Delivery]bool{}
		for _, o := range out {
			seen[string(o.Channel)] = true
			if once[o] {
				t.Fatalf("%+v twice", o)
			}
			once[o] = true
			if o.Channel == closed && o.Channel != Alert {
				t.Fatalf("%s is not set up", o.Channel)
			}
			if o.User == 0 {
				if n.Only || !chose(d.System, n.Event, o.Channel, true) {
					t.Fatalf("the system was told %+v of %+v", o, n)
				}
				continue
			}
			p := d.People[slices.IndexFunc(d.People, func(p Member) bool { return p.ID == o.User })]
			own := chose(p.Global, n.Event, o.Channel, false) || !n.Only && chose(p.Product, n.Event, o.Channel, false)
			systems := chose(d.System, n.Event, o.Channel, true) && (n.Only && (n.Event == UserMentioned || n.Event == ReviewRequested) || !n.Only && p.Superuser)
			if !own && !systems || n.Only && !slices.Contains(n.To, p.ID) || !n.Only && (!p.Sees || n.NoUsers) || o.Channel == Teams {
				t.Fatalf("%+v was told %+v of %+v", p, o, n)
			}
		}
	}
	if len(seen) != len(Channels) {
		t.Errorf("only %v were used", seen)
	}
}

// chose is what ChannelsOf says, written down once more.
func chose(r *store.NotificationRow, event string, c Channel, system bool) bool {
	if r == nil {
		return system && c == Alert && event != ScanAddedEmpty
	}
	if slices.Contains([]string{"finding_closed"}, event) {
		event = "other"
	}
	list, said := r.Events[event]
	if !said {
		return c == Alert && event != ScanAddedEmpty
	}
	return slices.Contains(list, string(c))
}
