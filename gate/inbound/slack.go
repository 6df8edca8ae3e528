package inbound

import (
	"context"
	"encoding/json"
	"time"

	"defectdojo/gate/store"
	"defectdojo/integrations/slack"
)

// Slack are the clicks on buttons in Slack's messages, and the forms behind them:
// https://docs.slack.dev/interactivity/handling-user-interaction. interact does
// what somebody clicked on, and says in a few words what it did.
func Slack(interact func(context.Context, store.Connection, slack.Interaction) (string, error)) Kind {
	return Kind{
		Name: "slack", Types: []string{"application/x-www-form-urlencoded"},
		Verify: func(r Request, s Secrets, now time.Time) error {
			for _, secret := range append([]string{s["signing_secret"]}, s.Webhook()...) {
				if slack.Verify(secret, r.Header("X-Slack-Request-Timestamp"), r.Header("X-Slack-Signature"), r.Body, now) == nil {
					return nil
				}
			}
			return ErrForged
		},
		Read: func(r Request) Message {
			i, err := interaction(r)
			if err != nil || i.Action != slack.ActionAssign && i.Action != slack.ActionWaiver {
				return Message{Event: i.Action, Ignored: "there is nothing to do"}
			}
			return Message{Event: i.Action, ID: r.Header("X-Slack-Signature")} // it is over the time, too: the same only for the same request
		},
		Keep: func(r Request) []byte { // the payload holds a token and an address to answer to
			i, err := interaction(r)
			if err != nil {
				return []byte{}
			}
			b, err := json.Marshal(i)
			if err != nil {
				return []byte{}
			}
			return b
		},
		Taken: Answer{Status: 200, ContentType: "text/plain"}, // any other answer is shown as a failure
		Work: func(ctx context.Context, d Delivery) (string, error) {
			var i slack.Interaction
			if err := json.Unmarshal(d.Body, &i); err != nil {
				return "", Ignore("it is no interaction")
			}
			return interact(ctx, d.Connection, i)
		},
	}
}

func interaction(r Request) (slack.Interaction, error) {
	payload, err := slack.Payload(r.Body)
	if err != nil {
		return slack.Interaction{}, err
	}
	return slack.ReadInteraction(payload)
}
