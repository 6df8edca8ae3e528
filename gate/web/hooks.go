package web

import (
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
)

// hookPage is what hook.html shows.
type hookPage struct {
	layout
	Hook       store.NotificationWebhook
	HeaderName string
	Note       string
	Problems   map[string]string
	Tested     string
	Log        []store.NoticeDelivery
	Count      int
}

func (w *web) showHook(v *visit, p hookPage) error {
	title := "New webhook"
	if p.Hook.ID != 0 {
		title = p.Hook.Name
		l, err := w.Store.DeliveryLog(v.UserContext(), string(notification.Webhooks), p.Hook.ID, store.Page{Limit: 50})
		if err != nil {
			return err
		}
		p.Log, p.Count = l.Rows, l.Count
	}
	if p.Hook.HeaderName != nil {
		p.HeaderName = *p.Hook.HeaderName
	}
	if p.Hook.Note != nil {
		p.Note = *p.Hook.Note
	}
	p.layout = w.layout(v, "", title)
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "hook.html", p)
}

// newHook serves GET /integrations/webhooks/new.
func (w *web) newHook(v *visit) error { return w.showHook(v, hookPage{}) }

// hook serves GET /integrations/webhooks/:id.
func (w *web) hook(v *visit) error {
	h, err := w.hookOf(v)
	if err != nil {
		return err
	}
	return w.showHook(v, hookPage{Hook: h})
}

func (w *web) hookOf(v *visit) (store.NotificationWebhook, error) {
	id, err := v.id()
	if err != nil {
		return store.NotificationWebhook{}, err
	}
	return w.Store.NotificationWebhook(v.UserContext(), id)
}

// addHook serves POST /integrations/webhooks.
func (w *web) addHook(v *visit) error {
	return w.saveHook(v, store.NotificationWebhook{Status: notification.HookActive})
}

// editHook serves POST /integrations/webhooks/:id.
func (w *web) editHook(v *visit) error {
	h, err := w.hookOf(v)
	if err != nil {
		return err
	}
	return w.saveHook(v, h)
}

func (w *web) saveHook(v *visit, h store.NotificationWebhook) error {
	header := strings.TrimSpace(v.form("header_name"))
	h.Name, h.URL, h.HeaderName = strings.TrimSpace(v.form("name")), strings.TrimSpace(v.form("url")), &header
	if header == "" {
		h.HeaderName = nil
	}
	want := notification.Hook{NotificationWebhook: h}
	for name, into := range map[string]**string{"header_value": &want.HeaderValue, "secret": &want.Secret} {
		if text := v.form(name); text != "" {
			*into = &text
		}
	}
	saved, err := w.Notifier.KeepHook(v.UserContext(), want, w.auditOf(v, h.ID))
	if problems, ok := errors.AsType[notification.Problems](err); ok {
		return w.showHook(v, hookPage{Hook: h, Problems: problems})
	}
	if gate.KindOf(err) == gate.Conflict {
		return w.showHook(v, hookPage{Hook: h, Problems: map[string]string{"name": "there is a webhook of this name already"}})
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: "Saved. Send a test to see that it arrives."})
	return v.Redirect("/integrations/webhooks/"+strconv.FormatInt(saved.ID, 10), fiber.StatusSeeOther)
}

// testHook serves POST /integrations/webhooks/:id/test.
func (w *web) testHook(v *visit) error {
	h, err := w.hookOf(v)
	if err != nil {
		return err
	}
	said, err := w.Notifier.TestHook(v.UserContext(), h.ID)
	if err != nil && gate.KindOf(err) != gate.Unavailable {
		return err
	}
	p := hookPage{Hook: h, Tested: said}
	if err != nil {
		p.Problems = map[string]string{"test": err.Error()}
	}
	return w.showHook(v, p)
}

// reviveHook serves POST /integrations/webhooks/:id/revive.
func (w *web) reviveHook(v *visit) error {
	h, err := w.hookOf(v)
	if err != nil {
		return err
	}
	if err := w.Notifier.Revive(v.UserContext(), h.ID); err != nil {
		return err
	}
	w.flash(v, flash{Text: "It is tried again from now on."})
	return v.Redirect("/integrations/webhooks/"+strconv.FormatInt(h.ID, 10), fiber.StatusSeeOther)
}

// resendHook serves POST /integrations/webhooks/:id/resend.
func (w *web) resendHook(v *visit) error {
	h, err := w.hookOf(v)
	if err != nil {
		return err
	}
	delivery, err := strconv.ParseInt(v.form("delivery"), 10, 64)
	if err != nil {
		return gate.Errorf(gate.NotFound, "no such delivery")
	}
	if err := w.Notifier.Again(v.UserContext(), string(notification.Webhooks), h.ID, delivery); err != nil {
		return err
	}
	w.flash(v, flash{Text: "It is sent again."})
	return v.Redirect("/integrations/webhooks/"+strconv.FormatInt(h.ID, 10), fiber.StatusSeeOther)
}

// deleteHook serves POST /integrations/webhooks/:id/delete.
func (w *web) deleteHook(v *visit) error {
	h, err := w.hookOf(v)
	if err != nil {
		return err
	}
	e := w.auditOf(v, h.ID)
	e.Action = "delete"
	if err := w.Notifier.DropHook(v.UserContext(), h, e); err != nil {
		return err
	}
	w.flash(v, flash{Text: "Removed. What waited for it is not sent."})
	return v.Redirect("/integrations/channels", fiber.StatusSeeOther)
}
