package web

import (
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
	"defectdojo/integrations/mail"
)

// channelsPage is what channels.html shows.
type channelsPage struct {
	layout
	Channels []channelRow
	Hooks    []hookRow
}

type channelRow struct {
	store.Connection
	notification.Health
}

type hookRow struct {
	store.NotificationWebhook
	notification.Health
}

// channels serves GET /integrations/channels.
func (w *web) channels(v *visit) error {
	ctx := v.UserContext()
	p := channelsPage{layout: w.layout(v, "", "Notification channels")}
	healths, err := w.Notifier.Healths(ctx)
	if err != nil {
		return err
	}
	rows, err := w.Store.Connections(ctx, notification.Kinds...)
	if err != nil {
		return err
	}
	for _, c := range rows {
		p.Channels = append(p.Channels, channelRow{c, healths[c.Kind][c.ID]})
	}
	hooks, err := w.Store.NotificationWebhooks(ctx, store.Page{})
	if err != nil {
		return err
	}
	for _, h := range hooks.Rows {
		p.Hooks = append(p.Hooks, hookRow{h, healths[string(notification.Webhooks)][h.ID]})
	}
	return render(v.Ctx, "channels.html", p)
}

// channelPage is what channel.html shows.
type channelPage struct {
	layout
	Draft    notification.Draft
	Label    string          // of the kind
	Has      map[string]bool // secrets that are set
	Hook     string          // where Slack sends clicks to
	Problems map[string]string
	Products []store.Choice
	Places   []store.ConnectionProduct
	Tested   string
}

var channelKinds = map[string]string{"slack": "Slack", "msteams": "Microsoft Teams", "mail": "E-mail"}

func (w *web) showChannel(v *visit, p channelPage, c store.Connection) error {
	label, ok := channelKinds[p.Draft.Kind]
	if !ok {
		return gate.Errorf(gate.NotFound, "no such channel")
	}
	title := "New channel: " + label
	p.Label, p.Has = label, map[string]bool{}
	ctx := v.UserContext()
	if c.ID != 0 {
		title = c.Name
		p.Hook = w.SiteURL + "/hooks/slack/" + c.PublicID
		set, err := w.Notifier.SecretsSet(c)
		if err != nil {
			return err
		}
		for _, s := range set {
			p.Has[s] = true
		}
		if p.Places, err = w.Store.ConnectionProducts(ctx, c.ID); err != nil {
			return err
		}
		choices, err := w.Store.FindingChoices(ctx, gate.Scope{All: true}, false)
		if err != nil {
			return err
		}
		p.Products = choices.Products
	}
	p.layout = w.layout(v, "", title)
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "channel.html", p)
}

// newChannel serves GET /integrations/channels/new.
func (w *web) newChannel(v *visit) error {
	d := notification.Draft{Kind: v.Query("kind", "slack"), Enabled: true}
	d.Settings.Security = mail.StartTLS
	d.Settings.MinSeverity = gate.Info
	return w.showChannel(v, channelPage{Draft: d}, store.Connection{})
}

// channel serves GET /integrations/channels/:id.
func (w *web) channel(v *visit) error {
	c, d, err := w.channelOf(v)
	if err != nil {
		return err
	}
	return w.showChannel(v, channelPage{Draft: d}, c)
}

func (w *web) channelOf(v *visit) (store.Connection, notification.Draft, error) {
	id, err := v.id()
	if err != nil {
		return store.Connection{}, notification.Draft{}, err
	}
	c, err := w.Store.ConnectionOf(v.UserContext(), id, notification.Kinds...)
	if err != nil {
		return c, notification.Draft{}, err
	}
	s, err := notification.ReadSettings(c)
	return c, notification.Draft{ID: c.ID, Kind: c.Kind, Name: c.Name, Enabled: c.Enabled, Settings: s}, err
}

// addChannel serves POST /integrations/channels.
func (w *web) addChannel(v *visit) error {
	return w.saveChannel(v, store.Connection{}, notification.Draft{Kind: v.form("kind")})
}

// editChannel serves POST /integrations/channels/:id.
func (w *web) editChannel(v *visit) error {
	c, d, err := w.channelOf(v)
	if err != nil {
		return err
	}
	return w.saveChannel(v, c, d)
}

func (w *web) saveChannel(v *visit, c store.Connection, d notification.Draft) error {
	readChannelForm(v, &d)
	saved, err := w.Notifier.Keep(v.UserContext(), d, w.auditOf(v, d.ID))
	if problems, ok := errors.AsType[notification.Problems](err); ok {
		return w.showChannel(v, channelPage{Draft: d, Problems: problems}, c)
	}
	if gate.KindOf(err) == gate.Conflict {
		return w.showChannel(v, channelPage{Draft: d, Problems: map[string]string{"name": "there is a connection of this name already"}}, c)
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: "Saved. Send a test to see that it arrives."})
	return v.Redirect("/integrations/channels/"+strconv.FormatInt(saved.ID, 10), fiber.StatusSeeOther)
}

// auditOf begins the history's entry of what somebody did: to a new one, or to one
// that was there.
func (w *web) auditOf(v *visit, id int64) store.AuditEvent {
	action := "edit"
	if id == 0 {
		action = "add"
	}
	return store.AuditEvent{At: v.now, ActorID: &v.User.ID, Actor: v.Name(), Action: action, RequestID: requestID(v.Ctx), IP: v.IP()}
}

func readChannelForm(v *visit, d *notification.Draft) {
	d.Name, d.Enabled = strings.TrimSpace(v.form("name")), v.form("enabled") != ""
	s := &d.Settings
	for name, into := range map[string]*string{"address": &s.Address, "api_url": &s.APIURL, "host": &s.Host, "username": &s.Username, "from": &s.From} {
		*into = strings.TrimSpace(v.form(name))
	}
	s.MinSeverity, s.TellOwners, s.Webhook = gate.ParseSeverity(v.form("min_severity")), v.form("tell_owners") != "", v.form("how") == "webhook"
	s.DigestMinutes, _ = strconv.Atoi(v.form("digest_minutes"))
	s.Port, _ = strconv.Atoi(v.form("port"))
	s.Security = mail.Security(v.form("security"))
	d.Secrets = map[string]string{}
	for _, name := range notification.ConnectionSecrets[d.Kind] {
		d.Secrets[name] = v.form(name)
	}
}

// testChannel serves POST /integrations/channels/:id/test.
func (w *web) testChannel(v *visit) error {
	c, d, err := w.channelOf(v)
	if err != nil {
		return err
	}
	said, err := w.Notifier.Test(v.UserContext(), c.ID)
	if err != nil && gate.KindOf(err) != gate.Unavailable {
		return err
	}
	p := channelPage{Draft: d, Tested: said}
	if err != nil {
		p.Problems = map[string]string{"test": err.Error()}
	}
	return w.showChannel(v, p, c)
}

// deleteChannel serves POST /integrations/channels/:id/delete.
func (w *web) deleteChannel(v *visit) error {
	c, _, err := w.channelOf(v)
	if err != nil {
		return err
	}
	e := w.auditOf(v, c.ID)
	e.Action = "delete"
	if err := w.Notifier.Drop(v.UserContext(), c, e); err != nil {
		return err
	}
	w.flash(v, flash{Text: "Removed. What waited for it is not sent."})
	return v.Redirect("/integrations/channels", fiber.StatusSeeOther)
}

// placeProduct serves POST /integrations/channels/:id/products: where a product's
// notices go. A blank address has them go where all go.
func (w *web) placeProduct(v *visit) error {
	c, d, err := w.channelOf(v)
	if err != nil {
		return err
	}
	product, err := strconv.ParseInt(v.form("product"), 10, 64)
	if err != nil {
		return w.showChannel(v, channelPage{Draft: d, Problems: map[string]string{"product": "choose one"}}, c)
	}
	address := strings.TrimSpace(v.form("address"))
	minutes, _ := strconv.Atoi(v.form("digest_minutes"))
	switch {
	case address == "":
		err = w.Store.DeleteConnectionProduct(v.UserContext(), c.ID, product)
	case minutes < 0 || minutes > 1440:
		return w.showChannel(v, channelPage{Draft: d, Problems: map[string]string{"product": "the minutes must be between 0 and 1440"}}, c)
	default:
		err = w.Store.SetConnectionProduct(v.UserContext(), store.ConnectionProduct{
			ConnectionID: c.ID, ProductID: product, Address: address, MinSeverity: gate.ParseSeverity(v.form("min_severity")), DigestMinutes: minutes,
		})
	}
	if err != nil {
		return err
	}
	return v.Redirect("/integrations/channels/"+strconv.FormatInt(c.ID, 10), fiber.StatusSeeOther)
}
