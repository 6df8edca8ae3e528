package inbound

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"defectdojo/integrations/github"
)

// githubEvents are the events of interest with their actions; none is any.
var githubEvents = map[string][]string{
	"ping":                      nil,
	"push":                      nil,
	"pull_request":              {"opened", "reopened", "synchronize", "ready_for_review"},
	"merge_group":               {"checks_requested"},
	"check_suite":               {"rerequested"},
	"check_run":                 {"rerequested"},
	"workflow_run":              {"completed"},
	"installation":              {"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"},
	"installation_repositories": {"added", "removed"},
	"repository":                {"renamed", "transferred", "deleted"},
}

// GitHub is the kind of GitHub's webhooks.
func GitHub(work func(context.Context, Delivery) (string, error)) Kind {
	return Kind{
		Name: "github",
		Verify: func(r Request, s Secrets, _ time.Time) error {
			if !github.Proves(r.Header(github.SignatureHeader), r.Body, s.Webhook()) {
				return ErrForged
			}
			return nil
		},
		Read: readGitHub,
		Work: work,
	}
}

func readGitHub(r Request) Message {
	m := Message{ID: r.Header(github.DeliveryHeader), Event: r.Header(github.EventHeader)}
	var body struct {
		Action string `json:"action"`
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		m.Ignored = "the body is not JSON"
		return m
	}
	actions, known := githubEvents[m.Event]
	if !known || actions != nil && !slices.Contains(actions, body.Action) {
		m.Ignored = "nothing follows from this event"
	}
	if body.Action != "" {
		m.Event += "." + body.Action
	}
	return m
}
