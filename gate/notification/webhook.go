package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/webhook"
)

// sendWebhook posts a notice to a webhook, whose health says whether it is to be
// tried at all. What could not be sent waits; what waits for one that is given
// up is over, and can be sent again by hand.
func (n *Notifier) sendWebhook(ctx context.Context, o *outgoing) error {
	d, now := o.first(), n.Now()
	hook, err := n.Store.NotificationWebhook(ctx, d.Target)
	if gate.KindOf(err) == gate.NotFound {
		return n.Store.DeliveryFailed(ctx, o.ids(), 0, "the webhook was removed", true, now)
	}
	if err != nil {
		return err
	}
	if hook.Status == HookGivenUp {
		return n.Store.DeliveryFailed(ctx, o.ids(), 0, "the webhook was given up: "+deref(hook.Note), true, now)
	}
	if pause := Pause(hook, now); pause > 0 {
		return wait(pause)
	}
	body, err := n.payload(ctx, o, d.UserID)
	if err != nil {
		return err
	}
	status, failure := n.postTo(ctx, hook, webhook.Delivery{ID: d.PublicID, Event: o.notice.Event, Body: body})
	hook, err = n.judged(ctx, hook.ID, failure)
	if err != nil {
		return errors.Join(failure, err)
	}
	return n.hookDone(ctx, o, hook, status, failure)
}

// hookDone notes what became of a delivery, and says when to try again.
func (n *Notifier) hookDone(ctx context.Context, o *outgoing, hook store.NotificationWebhook, status int, failure error) error {
	now := n.Now()
	if failure == nil {
		if err := n.Store.DeliveryDone(ctx, o.ids(), status, "", now); err != nil {
			return err
		}
		return n.Store.ChannelWorked(ctx, string(Webhooks), hook.ID, now)
	}
	reason := clip(failure.Error(), 500)
	final := hook.Status == HookGivenUp
	if err := n.Store.DeliveryFailed(ctx, o.ids(), status, reason, final, now); err != nil {
		return errors.Join(failure, err)
	}
	if err := n.Store.ChannelFailed(ctx, string(Webhooks), hook.ID, reason, now); err != nil {
		return errors.Join(failure, err)
	}
	if final {
		return &integrations.Error{System: "webhook", Op: "post", Status: status, Permanent: true, Err: errors.New("given up")}
	}
	return &integrations.Error{System: "webhook", Op: "post", Status: status, After: max(integrations.RetryAfter(failure), Pause(hook, now), time.Second), Err: failure}
}

// postTo posts a delivery to a webhook.
func (n *Notifier) postTo(ctx context.Context, hook store.NotificationWebhook, d webhook.Delivery) (int, error) {
	secrets, err := n.Box.OpenObject(store.WebhookSecretsOf(hook.ID), hook.Secrets)
	if err != nil {
		return 0, err
	}
	c := webhook.Config{URL: orText(secrets[secretURL], hook.URL), HeaderName: deref(hook.HeaderName), HeaderValue: secrets[SecretHeaderValue], Secret: secrets[SecretWebhookSecret]}
	d.Instance, d.Version = n.SiteURL, n.Version
	return webhook.Send(ctx, n.Client, c, d, n.Now())
}

// judged writes a webhook's health after an attempt.
func (n *Notifier) judged(ctx context.Context, id int64, failure error) (hook store.NotificationWebhook, err error) {
	err = n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if hook, err = s.LockNotificationWebhook(ctx, id); err != nil {
			return err
		}
		note := ""
		if failure != nil {
			note = failure.Error()
		}
		after := Judge(hook, outcome(failure), note, n.Now())
		if failure == nil && after.Status == hook.Status {
			return nil
		}
		hook, err = s.SaveNotificationWebhook(ctx, after)
		return err
	})
	return hook, err
}

// outcome says what an error means for a webhook. DefectDojo gives a webhook up
// at once that cannot be connected to; here that is an outage like any other.
func outcome(err error) Outcome {
	switch {
	case err == nil:
		return Worked
	case integrations.IsPermanent(err):
		return Permanent
	}
	return Temporary
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// payload is the body that a webhook is posted: DefectDojo's, key for key.
func (n *Notifier) payload(ctx context.Context, o *outgoing, user *int64) ([]byte, error) {
	notice := o.notice
	body := map[string]any{"title": notice.Title, "description": notice.Description, "user": nil}
	if o.disclaimer != "" {
		body["disclaimer"] = o.disclaimer
	}
	if notice.Path != "" {
		body["url_ui"] = n.url(notice.Path)
	}
	if user != nil {
		who, err := people(ctx, n.Store, []int64{*user})
		if err != nil {
			return nil, err
		}
		if len(who) == 1 {
			body["user"] = n.personIn(who[0])
		}
	}
	for _, p := range []struct {
		name, ui, api string
		ref           *Ref
		from          int
	}{
		{"product_type", "/products?type=%d", "product_types", notice.ProductType, 0},
		{"product", "/products/%d", "products", notice.Product, 1},
		{"engagement", "/findings?engagement=%d", "engagements", notice.Engagement, 2},
		{"test", "/findings?test=%d", "tests", notice.Test, 3},
	} {
		if p.ref == nil || depth(notice.Event) <= p.from {
			continue
		}
		label := "name"
		if p.name == "test" {
			label = "title"
		}
		body[p.name] = map[string]any{"id": p.ref.ID, label: p.ref.Name, "url_ui": n.url(fmt.Sprintf(p.ui, p.ref.ID)), "url_api": n.api(p.api, p.ref.ID)}
		body["url_api"] = n.api(p.api, p.ref.ID) // the last is what it is about
	}
	switch {
	case notice.Finding != nil:
		body["url_api"] = n.api("findings", notice.Finding.ID)
	case notice.Verdict != nil:
		body["url_api"] = n.api("verdicts", notice.Verdict.ID)
	}
	switch notice.Event {
	case ScanAdded, ScanAddedEmpty:
		found := map[string]any{}
		for _, name := range []string{"new", "reactivated", "mitigated", "untouched"} {
			found[name] = n.findings(notice.Findings[name])
		}
		body["finding_count"], body["findings"] = notice.Count, found
	case ReviewRequested:
		if notice.Finding != nil {
			body["finding"] = n.findings([]Item{*notice.Finding})[0]
		}
		if notice.RequestedBy != nil {
			body["requested_by"] = n.personIn(*notice.RequestedBy)
		}
		reviewers := []any{}
		for _, r := range notice.Reviewers {
			reviewers = append(reviewers, n.personIn(r))
		}
		body["reviewers"] = reviewers
	case VerdictChanged:
		body["verdict"] = notice.Verdict
	}
	return json.Marshal(body)
}

// depth is how much of the place an event's body names: 1 the product type, 2
// the product, 3 the engagement, 4 the test.
func depth(event string) int {
	return max(0, 1+slices.Index([]string{ProductTypeAdded, ProductAdded, EngagementAdded, TestAdded}, event), map[string]int{
		ScanAdded: 4, ScanAddedEmpty: 4, VerdictChanged: 3,
	}[event])
}

func (n *Notifier) api(resource string, id int64) string {
	return fmt.Sprintf("%s/api/v2/%s/%d/", n.SiteURL, resource, id)
}

func (n *Notifier) personIn(p Person) map[string]any {
	return map[string]any{
		"id": p.ID, "email": p.Email, "username": p.Username, "first_name": p.FirstName, "last_name": p.LastName,
		"url_ui": n.url(fmt.Sprintf("/users/%d", p.ID)), "url_api": n.api("users", p.ID),
	}
}

func (n *Notifier) findings(list []Item) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, f := range list {
		out[i] = map[string]any{"id": f.ID, "title": f.Title, "severity": f.Severity, "url_ui": n.url(fmt.Sprintf("/findings/%d", f.ID)), "url_api": n.api("findings", f.ID)}
	}
	return out
}
