package inbound

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"defectdojo/integrations/gitlab"
)

// gitlabEvent is what is read of a delivery: who to ask about what.
type gitlabEvent struct {
	Kind    string `json:"object_kind"`
	Ref     string `json:"ref"`
	After   string `json:"after"`
	Project struct {
		ID   int64  `json:"id"`
		Path string `json:"path_with_namespace"`
	} `json:"project"`
	Attributes struct {
		ID     int64  `json:"id"`
		IID    int    `json:"iid"`
		Status string `json:"status"`
		Action string `json:"action"`
		OldRev string `json:"oldrev"`
	} `json:"object_attributes"`

	// Of a job.
	ProjectID  int64  `json:"project_id"`
	PipelineID int64  `json:"pipeline_id"`
	Status     string `json:"build_status"`
}

// project is the number of the project that the event is of.
func (e gitlabEvent) project() int64 { return cmp.Or(e.Project.ID, e.ProjectID) }

// ended are the states that pipelines and jobs end in, and in which a pipeline
// waits for a person.
var ended = []string{"success", "failed", "canceled", "skipped", "manual"}

// GitLab is the kind of GitLab's webhooks.
func GitLab(work func(context.Context, Delivery) (string, error)) Kind {
	return Kind{
		Name: "gitlab",
		Verify: func(r Request, s Secrets, now time.Time) error {
			if !gitlab.Proves(r.Header, r.Body, s.Webhook(), now) {
				return ErrForged
			}
			return nil
		},
		Read: readGitLab,
		Work: work,
	}
}

// readGitLab names a delivery by the id that stays when it is sent again.
// X-Gitlab-Event-UUID is none: all that follows from one event has the same, our
// own writing back included.
func readGitLab(r Request) Message {
	m := Message{ID: cmp.Or(r.Header(gitlab.MessageIDHeader), r.Header(gitlab.DeliveryHeader)), Event: r.Header(gitlab.EventHeader)}
	var e gitlabEvent
	if err := json.Unmarshal(r.Body, &e); err != nil {
		m.Ignored = "the body is not what GitLab sends"
		return m
	}
	m.Event = e.Kind
	switch e.Kind {
	case "push":
	case "pipeline":
		if m.Event += "." + e.Attributes.Status; !slices.Contains(ended, e.Attributes.Status) {
			m.Ignored = "the pipeline is not over"
		}
	case "build":
		if m.Event += "." + e.Status; !slices.Contains(ended, e.Status) {
			m.Ignored = "the job is not over"
		}
	case "merge_request":
		m.Event += "." + e.Attributes.Action
		// An update without oldrev changed words, not the change.
		if a := e.Attributes.Action; a != "open" && a != "reopen" && (a != "update" || e.Attributes.OldRev == "") {
			m.Ignored = "nothing follows from this action"
		}
	default:
		m.Ignored = "nothing follows from this event"
	}
	return m
}
