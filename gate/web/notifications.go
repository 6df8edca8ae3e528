package web

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
)

// notificationsPage is what notifications.html shows.
type notificationsPage struct {
	layout
	For      string // me, system or template
	Product  int64  // whose; 0: of all
	Products []store.Choice
	Row      store.NotificationRow
	Events   []notification.EventInfo
	Channels []notification.Channel
	Fields   []string // that a filter can name
	Problem  string
	Calendar store.NotifySettings // of the system
	Wrong    map[string]string    // with what was typed there, by field
	Slack    string               // who I am there
	BySlack  bool                 // a bot of Slack is connected
}

// Has tells whether an event is told over a channel.
func (p notificationsPage) Has(event string, c notification.Channel) bool {
	return slices.Contains(notification.ChannelsOf(p.Row, event), c)
}

// Address is the page's own.
func (p notificationsPage) Address() string {
	if p.Product != 0 {
		return "/notifications?product=" + strconv.FormatInt(p.Product, 10)
	}
	return "/notifications?for=" + p.For
}

// whose finds out whose preferences an address names, and that they are for who asks.
func (w *web) whose(v *visit) (notificationsPage, error) {
	p := notificationsPage{For: v.Query("for", "me"), Events: notification.Offered(), Channels: notification.Channels, Fields: notification.FilterHelp()}
	p.Product, _ = strconv.ParseInt(v.Query("product"), 10, 64)
	switch p.For {
	case "me":
		p.Row.UserID = &v.User.ID
	case "system", "template":
		if err := w.Auth.MayGlobal(v.Principal, auth.ManageNotices); err != nil {
			return p, err
		}
		p.Row.Template = p.For == "template"
	default:
		return p, gate.Errorf(gate.NotFound, "no such preferences")
	}
	if p.Product != 0 {
		if err := w.Auth.May(v.UserContext(), v.Principal, auth.View, p.Product); err != nil || p.For != "me" {
			return p, gate.Errorf(gate.NotFound, "no such product")
		}
		p.Row.ProductID = &p.Product
	}
	return p, nil
}

// notifications serves GET /notifications.
func (w *web) notifications(v *visit) error {
	p, err := w.whose(v)
	if err != nil {
		return err
	}
	row, err := w.Store.NotificationRowOf(v.UserContext(), p.Row.UserID, p.Row.ProductID, p.Row.Template)
	switch {
	case err == nil:
		p.Row = row
	case gate.KindOf(err) != gate.NotFound:
		return err
	case p.Product != 0: // nothing is told of a product alone that nobody has chosen
		p.Row.Events = map[string][]string{}
		for _, e := range notification.Events {
			p.Row.Events[e.Name] = []string{}
		}
	}
	return w.showNotifications(v, p)
}

func (w *web) showNotifications(v *visit, p notificationsPage) error {
	p.layout = w.layout(v, "alerts", map[string]string{"me": "What I am told", "system": "What the system tells", "template": "What new users are told"}[p.For])
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.View)
	if err != nil {
		return err
	}
	choices, err := w.Store.FindingChoices(v.UserContext(), scope, false)
	if err != nil {
		return err
	}
	p.Products = choices.Products
	if err := w.slackOf(v, &p); err != nil {
		return err
	}
	if p.Wrong == nil {
		if p.Calendar, err = w.Store.NotifySettings(v.UserContext()); err != nil {
			return err
		}
	}
	return render(v.Ctx, "notifications.html", p)
}

// saveNotifications serves POST /notifications.
func (w *web) saveNotifications(v *visit) error {
	p, err := w.whose(v)
	if err != nil {
		return err
	}
	before, err := w.Store.NotificationRowOf(v.UserContext(), p.Row.UserID, p.Row.ProductID, p.Row.Template)
	if err != nil && gate.KindOf(err) != gate.NotFound {
		return err
	}
	p.Row.Events = map[string][]string{} // those that are not offered stay as a client of the API has set them
	maps.Copy(p.Row.Events, before.Events)
	for _, e := range notification.Offered() {
		p.Row.Events[e.Name] = []string{}
		for _, c := range notification.Channels {
			if v.form(e.Name+"."+string(c)) != "" {
				p.Row.Events[e.Name] = append(p.Row.Events[e.Name], string(c))
			}
		}
	}
	p.Row.Filter, p.Row.MinSeverity = strings.TrimSpace(v.form("filter")), gate.ParseSeverity(v.form("min_severity"))
	if err := notification.CheckRow(p.Row); err != nil {
		if e, ok := errors.AsType[*gate.Error](err); ok {
			p.Problem = e.Message
		}
		v.Status(fiber.StatusBadRequest)
		return w.showNotifications(v, p)
	}
	if err := w.Notifier.KeepRow(v.UserContext(), p.Row, before, w.auditOf(v, before.ID)); err != nil {
		return err
	}
	w.flash(v, flash{Text: "Saved."})
	return v.Redirect(p.Address(), fiber.StatusSeeOther)
}

// maxDisclaimer is DefectDojo's limit.
const maxDisclaimer = 3000

// saveCalendar serves POST /notifications/calendar: what the system tells by the
// day, and what stands under all that it tells.
func (w *web) saveCalendar(v *visit) error {
	set, err := w.Store.NotifySettings(v.UserContext())
	if err != nil {
		return err
	}
	before := set
	if wrong := v.calendar(&set); len(wrong) > 0 {
		p, err := w.whose(v)
		if err != nil {
			return err
		}
		row, err := w.Store.NotificationRowOf(v.UserContext(), nil, nil, false)
		if err != nil && gate.KindOf(err) != gate.NotFound {
			return err
		}
		p.For, p.Row, p.Calendar, p.Wrong = "system", row, set, wrong
		v.Status(fiber.StatusBadRequest)
		return w.showNotifications(v, p)
	}
	if err := w.Notifier.KeepSettings(v.UserContext(), before, set, w.auditOf(v, 1)); err != nil {
		return err
	}
	w.flash(v, flash{Text: "Saved."})
	return v.Redirect("/notifications?for=system", fiber.StatusSeeOther)
}

// calendar reads the form, and returns what is wrong by field.
func (v *visit) calendar(set *store.NotifySettings) map[string]string {
	wrong := map[string]string{}
	set.Active, set.ActiveVerified = v.form("sla") == "all", v.form("sla") == "verified"
	set.JiraOnly, set.Backoff, set.AutoClose = v.form("jira_only") != "", v.form("backoff") != "", v.form("auto_close") != ""
	if set.Disclaimer = strings.TrimSpace(v.form("disclaimer")); len([]rune(set.Disclaimer)) > maxDisclaimer {
		wrong["disclaimer"] = "it must have 3000 characters at most"
	}
	for name, into := range map[string]*int{
		"risk_days": &set.RiskDays, "waiver_days": &set.WaiverDays, "engagement_days": &set.EngagementDays, "log_days": &set.WebhookRetention, "close_days": &set.AutoCloseDays,
	} {
		n, err := strconv.Atoi(v.form(name))
		if err != nil || n < 0 || n > 365 {
			wrong[name] = "it must be a number of days, 365 at most"
			continue
		}
		*into = n
	}
	return wrong
}

// slackOf finds out who the visitor is in Slack, if that is of use.
func (w *web) slackOf(v *visit, p *notificationsPage) error {
	if p.For != "me" {
		return nil
	}
	rows, err := w.Store.Connections(v.UserContext(), "slack")
	if err != nil {
		return err
	}
	for _, c := range rows {
		s, err := notification.ReadSettings(c)
		if err != nil {
			return err
		}
		p.BySlack = p.BySlack || c.Enabled && !s.Webhook
	}
	if _, typed := p.Wrong["slack"]; typed {
		return nil
	}
	contacts, err := w.Store.Contacts(v.UserContext(), []int64{v.User.ID})
	if err == nil && len(contacts) == 1 {
		p.Slack = contacts[0].SlackUserID
	}
	return err
}

// memberID is how Slack names somebody: under "Copy member ID" in their profile.
var memberID = regexp.MustCompile(`^[UW][A-Z0-9]{6,20}$`)

// saveSlack serves POST /notifications/slack: who the visitor is in Slack.
func (w *web) saveSlack(v *visit) error {
	id := strings.ToUpper(strings.TrimSpace(v.form("slack")))
	if id != "" && !memberID.MatchString(id) {
		p, err := w.whose(v)
		if err != nil {
			return err
		}
		row, err := w.Store.NotificationRowOf(v.UserContext(), &v.User.ID, nil, false)
		if err != nil && gate.KindOf(err) != gate.NotFound {
			return err
		}
		if err == nil {
			p.Row = row
		}
		p.Slack, p.Wrong = id, map[string]string{"slack": "A member ID begins with U or W, like U012AB3CD."}
		v.Status(fiber.StatusBadRequest)
		return w.showNotifications(v, p)
	}
	if err := w.Notifier.KeepSlackUser(v.UserContext(), v.User.ID, id, w.auditOf(v, v.User.ID)); err != nil {
		return err
	}
	w.flash(v, flash{Text: "Saved."})
	return v.Redirect("/notifications", fiber.StatusSeeOther)
}
