package web

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/connection"
	"defectdojo/gate/store"
)

// connectionPage is what connection.html shows.
type connectionPage struct {
	layout
	connection.View

	Form         map[string]string // what the fields hold, secrets excepted
	Name         string
	Enabled      bool
	Problems     map[string]string // by field
	Said         string            // what a test said
	Failed       string            // or how it failed
	Secret       string            // the webhook's new secret, this once
	Repositories []store.Repository
	Part         partForm // that is to be added
	Products     []store.Choice
	Deliveries   []store.Delivery
}

// recentDeliveries is how many are shown.
const recentDeliveries = 30

// newConnection serves GET /integrations/connections/new.
func (w *web) newConnection(v *visit) error {
	kind, err := w.Connections.Kind(v.Query("kind", "github"))
	if err != nil {
		return gate.Errorf(gate.NotFound, "no such kind of connection")
	}
	return w.showConnection(v, connectionPage{View: connection.View{Kind: kind}, Enabled: true})
}

// connection serves GET /integrations/connections/:id.
func (w *web) connection(v *visit) error {
	p, err := w.savedConnection(v)
	if err != nil {
		return err
	}
	return w.showConnection(v, p)
}

// savedConnection returns the page of the connection that the address names.
func (w *web) savedConnection(v *visit) (connectionPage, error) {
	id, err := v.id()
	if err != nil {
		return connectionPage{}, err
	}
	view, err := w.Connections.Get(v.UserContext(), id)
	if err != nil {
		return connectionPage{}, err
	}
	p := connectionPage{View: view, Name: view.Name, Enabled: view.Enabled, Form: map[string]string{}}
	settings := map[string]any{}
	if err := json.Unmarshal(view.Settings, &settings); err != nil {
		return p, err
	}
	for _, f := range view.Kind.Fields {
		p.Form[f.Name] = shown(settings[f.Name])
	}
	return p, nil
}

// shown writes a setting as its field holds it.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "1"
		}
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var lines []string
		for _, e := range v {
			lines = append(lines, shown(e))
		}
		return strings.Join(lines, "\n")
	case string:
		return v
	}
	return ""
}

func (w *web) showConnection(v *visit, p connectionPage) error {
	title := "New connection to " + p.Kind.Title
	if p.ID != 0 {
		title = p.View.Name
		ctx := v.UserContext()
		var err error
		if p.Repositories, err = w.Store.Repositories(ctx, p.ID); err != nil {
			return err
		}
		if p.Deliveries, err = w.Store.Deliveries(ctx, p.ID, recentDeliveries); err != nil {
			return err
		}
		scope, err := w.Auth.Scope(ctx, v.Principal, auth.View)
		if err != nil {
			return err
		}
		choices, err := w.Store.FindingChoices(ctx, scope, false)
		if err != nil {
			return err
		}
		p.Products = choices.Products
	}
	p.layout = w.layout(v, "", title)
	return render(v.Ctx, "connection.html", p)
}

// saveConnection serves POST /integrations/connections and POST /integrations/connections/:id.
func (w *web) saveConnection(v *visit) error {
	p := connectionPage{}
	if v.Params("id") != "" {
		var err error
		if p, err = w.savedConnection(v); err != nil {
			return err
		}
	} else {
		kind, err := w.Connections.Kind(v.form("kind"))
		if err != nil {
			return err
		}
		p.Kind = kind
	}
	d := connection.Draft{ID: p.ID, Kind: p.Kind.Name, Name: v.form("name"), Enabled: v.form("enabled") != "", Secrets: map[string]string{}}
	p.Form = map[string]string{}
	settings := map[string]any{}
	p.Problems = map[string]string{}
	for _, f := range p.Kind.Fields {
		text := strings.TrimSpace(strings.ReplaceAll(v.form(f.Name), "\r\n", "\n"))
		if f.IsSecret() {
			d.Secrets[f.Name] = text
			continue
		}
		p.Form[f.Name] = text
		value, err := setting(f, text)
		if err != nil {
			p.Problems[f.Name] = err.Error()
		}
		settings[f.Name] = value
	}
	p.Name, p.Enabled = d.Name, d.Enabled
	var err error
	if d.Settings, err = json.Marshal(settings); err != nil {
		return err
	}
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
		return w.showConnection(v, p)
	}
	return w.keepConnection(v, p, d)
}

// keepConnection saves a connection and shows what became of it.
func (w *web) keepConnection(v *visit, p connectionPage, d connection.Draft) error {
	id, secret, err := w.Connections.Save(v.UserContext(), v.event(), d)
	if e, ok := errors.AsType[*gate.Error](err); ok && e.Kind == gate.Invalid {
		p.Problems[e.Field] = e.Message
		v.Status(fiber.StatusBadRequest)
		return w.showConnection(v, p)
	}
	if err != nil {
		return err
	}
	if secret == "" {
		w.flash(v, flash{Text: "Saved."})
		return v.Redirect("/integrations/connections/"+strconv.FormatInt(id, 10), fiber.StatusSeeOther)
	}
	if p.View, err = w.Connections.Get(v.UserContext(), id); err != nil {
		return err
	}
	p.Secret = secret
	return w.showConnection(v, p)
}

// setting reads a field as its setting.
func setting(f connection.Field, text string) (any, error) {
	switch f.Input {
	case connection.Flag:
		return text != "", nil
	case connection.Number:
		if text == "" {
			return 0, nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, errors.New("it is not a number")
		}
		return n, nil
	case connection.List:
		return strings.Fields(strings.ReplaceAll(text, ",", " ")), nil
	default:
		return text, nil
	}
}

// event begins the history's entry of what the visitor does.
func (v *visit) event() store.AuditEvent {
	return store.AuditEvent{ActorID: &v.User.ID, Actor: v.User.Username, RequestID: requestID(v.Ctx), IP: v.IP()}
}

// testConnection serves POST /integrations/connections/:id/test.
func (w *web) testConnection(v *visit) error {
	p, err := w.savedConnection(v)
	if err != nil {
		return err
	}
	said, works, err := w.Connections.Try(v.UserContext(), p.ID)
	if err != nil {
		return err
	}
	if p.Said = said; !works {
		p.Said, p.Failed = "", said
	}
	return w.showConnection(v, p)
}

// syncConnection serves POST /integrations/connections/:id/sync.
func (w *web) syncConnection(v *visit) error {
	p, err := w.savedConnection(v)
	if err != nil {
		return err
	}
	n, err := w.Connections.Sync(v.UserContext(), p.ID)
	if err != nil {
		p.Failed = err.Error()
		if gate.KindOf(err) == gate.Internal {
			return err
		}
	} else {
		p.Said = strconv.Itoa(n) + " repositories are known."
	}
	return w.showConnection(v, p)
}

// renewConnectionSecret serves POST /integrations/connections/:id/secret. It
// answers with the page itself: the secret is in no address, no cookie and no log.
func (w *web) renewConnectionSecret(v *visit) error {
	p, err := w.savedConnection(v)
	if err != nil {
		return err
	}
	if p.Secret, err = w.Connections.NewSecret(v.UserContext(), v.event(), p.ID); err != nil {
		return err
	}
	return w.showConnection(v, p)
}

// deleteConnection serves POST /integrations/connections/:id/delete.
func (w *web) deleteConnection(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := w.Connections.Delete(v.UserContext(), v.event(), id); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The connection is removed."})
	return v.Redirect("/integrations", fiber.StatusSeeOther)
}

// redeliver serves POST /integrations/connections/:id/redeliver.
func (w *web) redeliver(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	delivery, err := strconv.ParseInt(v.form("delivery"), 10, 64)
	if err != nil {
		return gate.Errorf(gate.NotFound, "no such delivery")
	}
	text := "The delivery is worked again."
	if err := w.Connections.Redeliver(v.UserContext(), id, delivery); gate.KindOf(err) == gate.Conflict && err != nil {
		text = err.Error()
	} else if err != nil {
		return err
	}
	w.flash(v, flash{Text: text})
	return v.Redirect("/integrations/connections/"+strconv.FormatInt(id, 10), fiber.StatusSeeOther)
}

// Type is a field's type in HTML.
func (connectionPage) Type(f connection.Field) string { return string(f.Input) }
