package notification

import (
	"slices"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// Member is a person who may be told something, with what they have chosen.
type Member struct {
	ID        int64
	Superuser bool
	Sees      bool                   // what the notice is about
	Global    *store.NotificationRow // their preferences for everything
	Product   *store.NotificationRow // and for the notice's product
}

// Directory is who may be told something.
type Directory struct {
	System *store.NotificationRow
	People []Member // active ones only
}

// Delivery is one way that a notice goes. User 0 is nobody: the system's channels.
type Delivery struct {
	User    int64
	Channel Channel
}

// Route says over which channels a notice goes to whom. open tells whether a
// channel is set up; alerts always are.
//
// A notice for people by name goes to those, by their own global preferences,
// and for some events by the system's beside them. Any other goes over the
// system's channels, and to everybody who has preferences (superusers: also
// without) and may see what it is about.
func Route(n Notice, d Directory, open func(Channel) bool) []Delivery {
	var out []Delivery
	add := func(user int64, rows ...*store.NotificationRow) {
		for _, c := range union(n, rows...) {
			if c == Alert || open(c) && (user == 0 || c != Teams) { // Teams has no people
				out = append(out, Delivery{user, c})
			}
		}
	}
	system := d.System
	if system == nil {
		system = &store.NotificationRow{}
	}
	if n.Only {
		trump := slices.Contains(trumps, n.Event)
		for _, p := range d.People {
			switch {
			case !slices.Contains(n.To, p.ID):
			case trump:
				add(p.ID, p.Global, system)
			default:
				add(p.ID, p.Global)
			}
		}
		return out
	}
	add(0, system)
	if n.NoUsers {
		return out
	}
	for _, p := range d.People {
		if !p.Sees {
			continue
		}
		rows := []*store.NotificationRow{p.Global, p.Product}
		if p.Superuser {
			rows = append(rows, system)
		}
		add(p.ID, rows...)
	}
	return out
}

// union returns the channels that any of some preferences chooses for a notice,
// in the order of Channels.
func union(n Notice, rows ...*store.NotificationRow) []Channel {
	chosen := map[Channel]bool{}
	for _, row := range rows {
		for _, c := range chooses(row, n) {
			chosen[c] = true
		}
	}
	var out []Channel
	for _, c := range Channels {
		if chosen[c] {
			out = append(out, c)
		}
	}
	return out
}

// chooses returns the channels that preferences choose for a notice.
func chooses(row *store.NotificationRow, n Notice) []Channel {
	if row == nil || row.Template || !n.reaches(row.MinSeverity) || !passes(row.Filter, n) {
		return nil
	}
	return ChannelsOf(*row, n.Event)
}

// ChannelsOf returns the channels that preferences have for an event.
func ChannelsOf(row store.NotificationRow, event string) []Channel {
	column := Column(event)
	names, said := row.Events[column]
	if !said {
		return Defaults(column)
	}
	out := make([]Channel, len(names))
	for i, name := range names {
		out[i] = Channel(name)
	}
	return out
}

// CheckRow tells what is wrong with preferences.
func CheckRow(row store.NotificationRow) error {
	for event, channels := range row.Events {
		if Column(event) != event {
			return gate.FieldErrorf(event, "there is no such event")
		}
		for _, c := range channels {
			if !slices.Contains(Channels, Channel(c)) {
				return gate.FieldErrorf(event, "%q is not a valid choice.", c)
			}
		}
	}
	if row.Template && (row.UserID != nil || row.ProductID != nil) {
		return gate.FieldErrorf("template", "Template notification must not have a user or product defined")
	}
	if row.UserID == nil && row.ProductID != nil {
		return gate.FieldErrorf("user", "the preferences of a product are a user's")
	}
	if row.Filter == "" {
		return nil
	}
	return CheckFilter(row.Filter)
}
