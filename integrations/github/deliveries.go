package github

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-github/v60/github"
)

var errTooLarge = errors.New("the report is larger than GitHub takes")

// HookDelivery is one that GitHub made, or tried to make.
type HookDelivery struct {
	ID     int64
	GUID   string // the same when it is delivered again
	At     time.Time
	Event  string
	Action string
	Status int // what it was answered; 0 if it was not
}

// Deliveries lists those of the App's webhook since a time, the newest first, up
// to a thousand: https://docs.github.com/rest/apps/webhooks#list-deliveries-for-an-app-webhook
func (c *Client) Deliveries(ctx context.Context, since time.Time) ([]HookDelivery, error) {
	gh, err := c.as(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []HookDelivery
	ask := &github.ListCursorOptions{PerPage: 100}
	for range 10 {
		l, resp, err := gh.Apps.ListHookDeliveries(ctx, ask)
		if err != nil {
			return nil, c.failed("list deliveries", http.MethodGet, resp, err)
		}
		for _, d := range l {
			if d.GetDeliveredAt().Before(since) {
				return out, nil
			}
			out = append(out, HookDelivery{d.GetID(), d.GetGUID(), d.GetDeliveredAt().Time, d.GetEvent(), d.GetAction(), d.GetStatusCode()})
		}
		if resp.Cursor == "" {
			break
		}
		ask.Cursor = resp.Cursor
	}
	return out, nil
}

// Redeliver has GitHub make a delivery again:
// https://docs.github.com/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook
func (c *Client) Redeliver(ctx context.Context, id int64) error {
	gh, err := c.as(ctx, "")
	if err != nil {
		return err
	}
	_, resp, err := gh.Apps.RedeliverHookDelivery(ctx, id)
	if _, ok := err.(*github.AcceptedError); ok { //nolint:errorlint // the library returns it as it is
		err = nil
	}
	return c.failed("redeliver", http.MethodPost, resp, err)
}
