package web

import (
	"strings"

	"defectdojo/gate/connection"
	"defectdojo/gate/store"
)

// integrationsPage is what integrations.html shows.
type integrationsPage struct {
	layout
	Connections []connection.View
	Kinds       []connection.Kind
	Channels    []systemRow
}

// systemRow is how the channel to a kind of system is, and what waits for it.
type systemRow struct {
	Name   string
	Link   string // to the page of its settings
	In     int    // deliveries that are to be worked
	Out    int    // things that are to be sent
	Failed int    // given up in the last day
	Health []store.ChannelHealth
}

// systemLinks are the pages of systems that are set up elsewhere.
var systemLinks = map[string]string{"jira": "/integrations/jira", "slack": "/integrations/channels", "msteams": "/integrations/channels", "mail": "/integrations/channels", "webhook": "/integrations/channels"}

// integrations serves GET /integrations: all foreign systems, how they are, and
// what waits for them.
func (w *web) integrations(v *visit) error {
	p := integrationsPage{layout: w.layout(v, "", "Integrations"), Kinds: w.Connections.Kinds}
	var err error
	if p.Connections, err = w.Connections.List(v.UserContext()); err != nil {
		return err
	}
	depths, err := w.Store.QueueDepths(v.UserContext())
	if err != nil {
		return err
	}
	health, err := w.Store.Channels(v.UserContext())
	if err != nil {
		return err
	}
	p.Channels = systems(depths, health)
	return render(v.Ctx, "integrations.html", p)
}

// systems puts together what is known of each kind of system, in the order in
// which they come.
func systems(depths []store.QueueDepth, health []store.ChannelHealth) []systemRow {
	var rows []systemRow
	row := func(name string) *systemRow {
		for i := range rows {
			if rows[i].Name == name {
				return &rows[i]
			}
		}
		rows = append(rows, systemRow{Name: name, Link: systemLinks[name]})
		return &rows[len(rows)-1]
	}
	for _, h := range health {
		r := row(h.Channel)
		r.Health = append(r.Health, h)
	}
	for _, d := range depths {
		if name, ok := strings.CutPrefix(d.Queue, "receive_"); ok {
			r := row(name)
			r.In, r.Failed = d.Depth, r.Failed+d.Failed
		} else if name, ok := strings.CutPrefix(d.Queue, "send_"); ok {
			r := row(name)
			r.Out, r.Failed = d.Depth, r.Failed+d.Failed
		}
	}
	return rows
}

// Ailing tells whether one of the channel's systems did not answer lately.
func (r systemRow) Ailing() bool {
	for _, h := range r.Health {
		if h.Failures > 0 {
			return true
		}
	}
	return false
}
