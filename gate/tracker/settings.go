package tracker

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
)

// KeepInstance stores an instance as somebody wants it, with its history; see
// SaveInstance.
func (t *Tracker) KeepInstance(ctx context.Context, who triage.Actor, inst store.JIRAInstance, token string) (store.JIRAInstance, error) {
	action := change(inst.ID)
	err := t.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) (err error) {
		if inst, err = t.SaveInstance(ctx, s, inst, token); err != nil {
			return err
		}
		return record(ctx, s, who, action, "jira_instance", inst.ID, nil, map[string]any{"url": inst.URL, "username": inst.Username, "password_changed": token != ""})
	})
	return inst, err
}

// RemoveInstance removes one. Conflict: projects are in it.
func (t *Tracker) RemoveInstance(ctx context.Context, who triage.Actor, inst store.JIRAInstance) error {
	return t.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.DeleteJIRAInstance(ctx, inst.ID); err != nil {
			return err
		}
		return record(ctx, s, who, "delete", "jira_instance", inst.ID, nil, map[string]any{"url": inst.URL})
	})
}

// KeepProject stores a project as somebody wants it, with its history.
func (t *Tracker) KeepProject(ctx context.Context, who triage.Actor, p store.JIRAProject) (store.JIRAProject, error) {
	action := change(p.ID)
	err := t.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) (err error) {
		if action == "add" {
			p, err = s.AddJIRAProject(ctx, p)
		} else {
			p, err = s.UpdateJIRAProject(ctx, p)
		}
		if err != nil {
			return err
		}
		return record(ctx, s, who, action, "jira_project", p.ID, &p.OwnerID, map[string]any{"project_key": p.ProjectKey, "push_all_issues": p.PushAllIssues, "enabled": p.Enabled})
	})
	return p, err
}

// RemoveProject removes one. Its issues stay in JIRA, and nothing follows them.
func (t *Tracker) RemoveProject(ctx context.Context, who triage.Actor, p store.JIRAProject) error {
	return t.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.DeleteJIRAProject(ctx, p.ID); err != nil {
			return err
		}
		return record(ctx, s, who, "delete", "jira_project", p.ID, &p.OwnerID, map[string]any{"project_key": p.ProjectKey})
	})
}

// RenewSecret is RenewWebhookSecret with its history.
func (t *Tracker) RenewSecret(ctx context.Context, who triage.Actor, inst store.JIRAInstance) (string, error) {
	secret, err := t.RenewWebhookSecret(ctx, inst)
	if err != nil {
		return "", err
	}
	return secret, record(ctx, t.Store, who, "renew_secret", "jira_instance", inst.ID, nil, nil)
}

// KeepLegacySecret is SetLegacySecret with its history.
func (t *Tracker) KeepLegacySecret(ctx context.Context, who triage.Actor, inst store.JIRAInstance, secret string) error {
	if inst.ConnectionID == nil {
		return gate.Errorf(gate.Conflict, "The instance has no password yet.")
	}
	if err := t.SetLegacySecret(ctx, inst, secret); err != nil {
		return err
	}
	return record(ctx, t.Store, who, "legacy_webhook", "jira_instance", inst.ID, nil, map[string]any{"open": secret != ""})
}

func change(id int64) string {
	if id == 0 {
		return "add"
	}
	return "edit"
}

// record writes down what somebody did. It is given no secret.
func record(ctx context.Context, s *store.Store, who triage.Actor, action, object string, id int64, product *int64, changes map[string]any) error {
	actor := who.Who.User.Username
	if who.Who.Token != nil {
		actor = who.Who.Token.PublicID
	}
	return s.AddAuditEvent(ctx, store.AuditEvent{
		At: who.Now, ActorID: &who.Who.User.ID, Actor: actor, Action: action, Object: object, ObjectID: &id, ProductID: product, Changes: changes,
		RequestID: who.RequestID, IP: who.IP,
	})
}
