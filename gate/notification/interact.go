package notification

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations/slack"
)

// WaiverRequest is what somebody asks for in Slack. Who may approve it is not
// theirs to say.
type WaiverRequest struct {
	UserID, FindingID int64
	Reason            string
	Until             time.Time
}

// proposedWaiver is how long a waiver is for when nobody says otherwise.
const proposedWaiver = 30 * 24 * time.Hour

// Interact does what somebody in Slack clicked on, in the name of the user that
// they are here, with that user's rights. It says in a few words what it did.
func (n *Notifier) Interact(ctx context.Context, c store.Connection, i slack.Interaction) (string, error) {
	if i.Action != slack.ActionAssign && i.Action != slack.ActionWaiver || i.Finding == 0 {
		return "nothing to do", nil
	}
	settings, err := ReadSettings(c)
	if err != nil {
		return "", err
	}
	secrets, err := n.secretsOf(c)
	if err != nil {
		return "", err
	}
	client := slack.New(settings.slack(secrets), n.Client, n.Now)
	user, err := n.userOf(ctx, client, i)
	if err != nil {
		return "", err
	}
	did, err := n.act(ctx, client, i, user)
	if kind := gate.KindOf(err); err != nil && (kind == gate.Internal || kind == gate.Unavailable) {
		return "", err
	}
	if err != nil {
		did = "That was not done: " + err.Error()
	}
	if did != "" && i.Channel != "" {
		if err := client.Tell(ctx, i.Channel, i.UserID, did); err != nil && !slack.Is(err, "channel_not_found", "not_in_channel", "user_not_in_channel", "messages_tab_disabled") {
			return did, err
		}
	}
	return did, nil
}

// act does it. It does not do a form's opening again: its trigger is good once.
func (n *Notifier) act(ctx context.Context, client *slack.Client, i slack.Interaction, user int64) (string, error) {
	switch {
	case user == 0:
		return "", gate.Errorf(gate.Forbidden, "nobody here has the e-mail address that you have in Slack")
	case n.Assign == nil || n.RequestWaiver == nil:
		return "", gate.Errorf(gate.Forbidden, "buttons are switched off")
	case i.Action == slack.ActionAssign:
		if err := n.Assign(ctx, user, i.Finding); err != nil {
			return "", err
		}
		return fmt.Sprintf("Finding %d is assigned to you.", i.Finding), nil
	case !i.Sent:
		return "", n.askForWaiver(ctx, client, i, user)
	}
	until, err := time.Parse(time.DateOnly, i.Until)
	if err != nil {
		return "", gate.FieldErrorf("until", "it is no day")
	}
	name, err := n.RequestWaiver(ctx, WaiverRequest{UserID: user, FindingID: i.Finding, Reason: i.Reason, Until: until.AddDate(0, 0, 1)})
	if err != nil {
		return "", err
	}
	return "The waiver " + name + " is requested. Somebody else has to approve it.", nil
}

// askForWaiver opens the form, for who may see the finding.
func (n *Notifier) askForWaiver(ctx context.Context, client *slack.Client, i slack.Interaction, user int64) error {
	f, err := n.Store.Finding(ctx, gate.Scope{All: true}, i.Finding)
	if err != nil {
		return err
	}
	who, err := n.Store.Addressees(ctx, f.ProductID, 0, []int64{user})
	if err != nil {
		return err
	}
	for _, a := range who {
		if a.ID == user && a.Sees {
			err := client.AskForWaiver(ctx, i, f.Title, n.Now().Add(proposedWaiver).UTC().Format(time.DateOnly))
			if slack.Is(err, "expired_trigger_id", "trigger_expired", "trigger_exchanged") {
				return gate.Errorf(gate.Conflict, "it took too long: click again, or use %s", n.url(fmt.Sprintf("/findings/%d", f.ID)))
			}
			return err
		}
	}
	return gate.Errorf(gate.NotFound, "no such finding")
}

// userOf returns who somebody in Slack is here; 0 if they are nobody. A guest, or
// somebody of another workspace, is nobody: what they say of their e-mail address
// nobody has checked.
func (n *Notifier) userOf(ctx context.Context, client *slack.Client, i slack.Interaction) (int64, error) {
	me, err := client.Whoami(ctx)
	if err != nil {
		return 0, err
	}
	if i.TeamID != me.TeamID || i.UserIn != "" && i.UserIn != me.TeamID {
		return 0, nil
	}
	m, err := client.Member(ctx, i.UserID)
	if err != nil {
		return 0, err
	}
	if m.ID != i.UserID || m.TeamID != me.TeamID || m.Guest {
		return 0, nil
	}
	known, err := n.Store.ContactsBySlack(ctx, m.ID)
	if err != nil || len(known) == 1 {
		return only(known), err
	}
	known, err = n.Store.ContactsByEmail(ctx, m.Email)
	if err != nil || len(known) != 1 {
		return 0, err
	}
	return known[0].ID, n.Store.SetSlackUser(ctx, known[0].ID, m.ID)
}

func only(list []store.Contact) int64 {
	if len(list) != 1 {
		return 0
	}
	return list[0].ID
}
