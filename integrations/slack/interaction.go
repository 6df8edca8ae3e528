package slack

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	goslack "github.com/slack-go/slack"

	"defectdojo/integrations"
)

// Interaction is somebody's click on a button, or a form that they sent.
type Interaction struct {
	Action  string // ActionAssign …; ActionWaiver with Sent is the form
	Sent    bool
	Finding int64
	TeamID  string
	UserID  string
	UserIn  string // the workspace that the user is of
	Channel string // where it happened; blank for a form
	Trigger string // opens a form, for three seconds
	Reason  string // of a form
	Until   string // likewise: a day
}

// callback names the form for a waiver.
const callback = "waiver"

// ReadInteraction reads the payload of an interaction. One that is not ours has no action.
func ReadInteraction(payload []byte) (Interaction, error) {
	var c goslack.InteractionCallback
	if err := json.Unmarshal(payload, &c); err != nil {
		return Interaction{}, errors.New("slack: the payload is not readable") // the cause would show some of it
	}
	i := Interaction{TeamID: c.Team.ID, UserID: c.User.ID, UserIn: c.User.TeamID, Channel: c.Channel.ID, Trigger: c.TriggerID}
	switch c.Type { //nolint:exhaustive // the others are not ours
	case goslack.InteractionTypeBlockActions:
		if len(c.ActionCallback.BlockActions) == 0 {
			return i, nil
		}
		a := c.ActionCallback.BlockActions[0]
		i.Action, i.Finding = a.ActionID, number(a.Value)
	case goslack.InteractionTypeViewSubmission:
		if c.View.CallbackID != callback || c.View.State == nil {
			return i, nil
		}
		var m formMemory
		if err := json.Unmarshal([]byte(c.View.PrivateMetadata), &m); err != nil {
			return i, errors.New("slack: the form is not ours")
		}
		i.Action, i.Sent, i.Finding, i.Channel = ActionWaiver, true, m.Finding, m.Channel
		i.Reason = c.View.State.Values["reason"]["reason"].Value
		i.Until = c.View.State.Values["until"]["until"].SelectedDate
	}
	return i, nil
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// formMemory is what a form remembers until it is sent.
type formMemory struct {
	Finding int64  `json:"finding"`
	Channel string `json:"channel"`
}

// AskForWaiver opens the form that asks why a finding should be waived, and how
// long. until is the day that it proposes.
func (c *Client) AskForWaiver(ctx context.Context, i Interaction, title, until string) error {
	memory, err := json.Marshal(formMemory{i.Finding, i.Channel})
	if err != nil {
		return err
	}
	reason := goslack.NewPlainTextInputBlockElement(plain("Why it can wait, and what is done meanwhile"), "reason")
	reason.Multiline, reason.MinLength, reason.MaxLength = true, 10, 2000
	day := goslack.NewDatePickerBlockElement("until")
	day.InitialDate = until
	_, err = c.api.OpenViewContext(ctx, i.Trigger, goslack.ModalViewRequest{
		Type: goslack.VTModal, CallbackID: callback, PrivateMetadata: string(memory),
		Title: plain("Request a waiver"), Submit: plain("Request"), Close: plain("Cancel"),
		Blocks: goslack.Blocks{BlockSet: []goslack.Block{
			section(clipped(integrations.Clip(title, 300), 1000)),
			goslack.NewInputBlock("reason", plain("Reason"), nil, reason),
			goslack.NewInputBlock("until", plain("Until"), nil, day),
		}},
	})
	return c.failed("views.open", true, err)
}
