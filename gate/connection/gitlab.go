package connection

import (
	"context"
	"encoding/json"
	"fmt"

	"defectdojo/gate/inbound"
	"defectdojo/gate/store"
	"defectdojo/integrations/gitlab"
)

// GitLab is the kind of connections to GitLab. client and sync are how it is reached.
func GitLab(client func(context.Context, store.Connection) (*gitlab.Client, error), sync func(context.Context, store.Connection) (int, error)) Kind {
	return Kind{
		Name: "gitlab", Title: "GitLab", Hooked: true, Hosts: true,
		Fields: []Field{
			{"url", "Address", "Blank for gitlab.com; of your own GitLab, its address.", Text, "https://gitlab.example.org"},
			{gitlab.Token, "Access token", "Of a group, a project or an account for this alone; role Developer, scope api.", Secret, ""},
			{inbound.WebhookSecret, "Signing token", "Only if GitLab made one for the webhook (whsec_…). Blank: we make a secret, which GitLab sends along.", Secret, ""},
			{"group", "Group", "Whose projects are listed here, with those of the groups beneath. Blank: the projects that webhooks tell of.", Text, "acme/platform"},
			{"artifacts", "Jobs", "Patterns of the names of jobs whose archives hold reports, one a line. A project can have its own.", List, "*sast*"},
			{"create", "Products by rule", "Projects that match get a product by themselves, one pattern a line.", List, "acme/*"},
			{"product", "Their name", "{owner}, {name} and {repository} are filled in.", Text, "{name}"},
			{"product_type", "Their product type", "", Text, "Research and Development"},
			{"no_comment", "No note at merge requests", "The status alone tells.", Flag, ""},
			{"external_check", "External status check", "Name of the check that is answered at merge requests (GitLab Ultimate). Blank: none.", Text, "DefectDojo gate"},
			{"artifact_hosts", "Hosts of artifacts", "Of a GitLab whose object storage sends archives by itself, one a line.", List, "storage.example.org"},
		},
		Guide: []string{
			"At GitLab, make an access token for the group or project (Settings, Access tokens): role Developer, scope api.",
			"Here: the access token, and the group if there is one; Save.",
			"At GitLab, add a webhook to the group or project (Settings, Webhooks): the address and the secret that are shown here when you have saved. The secret goes into Secret token. Where GitLab makes a signing token instead, that is put in here.",
			"Triggers: Push events, Merge request events, Job events, Pipeline events.",
			"Here: Test it, and Look which there are.",
			"Reports: a job keeps its reports with artifacts:paths; what only stands under artifacts:reports is not in the archive.",
		},
		Check: check[gitlab.Settings],
		Try: func(ctx context.Context, conn store.Connection) (string, error) {
			c, err := client(ctx, conn)
			if err != nil {
				return "", err
			}
			u, err := c.Self(ctx)
			if err != nil {
				return "", err
			}
			version, err := c.Version(ctx)
			if err != nil {
				return "", err
			}
			var s gitlab.Settings
			if err := json.Unmarshal(conn.Settings, &s); err != nil || s.Group == "" {
				return fmt.Sprintf("GitLab %s knows us as %s.", version, u.Username), err
			}
			list, err := c.Projects(ctx, s.Group)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("GitLab %s knows us as %s, with access to %d projects of %s.", version, u.Username, len(list), s.Group), nil
		},
		Sync: sync,
	}
}
