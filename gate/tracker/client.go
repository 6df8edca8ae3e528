package tracker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/jira"
)

// Names of an instance's secrets, which are those of its connection, sealed. A
// webhook has two for as long as one replaces the other.
const (
	password        = "token"
	webhook         = "webhook_secret"            //
	webhookPrevious = "webhook_secret_previous"   //
	webhookLegacy   = "webhook_secret_in_address" // DefectDojo's: see package inbound
)

// secrets opens an instance's secrets.
func (t *Tracker) secrets(ctx context.Context, s *store.Store, inst store.JIRAInstance) (map[string]string, store.Connection, error) {
	if inst.ConnectionID == nil {
		return map[string]string{}, store.Connection{}, nil
	}
	conn, err := s.Connection(ctx, *inst.ConnectionID)
	if err != nil {
		return nil, conn, err
	}
	secrets, err := t.Box.OpenObject(store.SecretsOf(conn.PublicID), conn.Secrets)
	return secrets, conn, err
}

// client returns a client of an instance.
func (t *Tracker) client(ctx context.Context, inst store.JIRAInstance) (*jira.Client, error) {
	secrets, _, err := t.secrets(ctx, t.Store, inst)
	if err != nil {
		return nil, err
	}
	if secrets[password] == "" {
		err := &integrations.Error{System: Channel, Op: "connect", After: longestPause, Err: errors.New("the instance has no password or token")}
		return nil, errors.Join(err, t.Store.ChannelFailed(ctx, Channel, inst.ID, err.Error(), t.Now()))
	}
	return jira.New(config(inst, secrets[password]), t.HTTP, t.Now)
}

func config(inst store.JIRAInstance, secret string) jira.Config {
	cloud := inst.Deployment == "Cloud" || inst.Deployment == "" && jira.IsCloud(inst.URL)
	return jira.Config{URL: inst.URL, Username: inst.Username, Secret: secret, Cloud: cloud}
}

// SaveInstance stores an instance, new if it has no ID. A blank password keeps
// the one that there is. A new instance gets the address of its webhook, and the
// secret that JIRA is to sign its deliveries with.
func (t *Tracker) SaveInstance(ctx context.Context, s *store.Store, inst store.JIRAInstance, token string) (store.JIRAInstance, error) {
	if err := integrations.CheckURL(inst.URL); err != nil {
		return inst, gate.FieldErrorf("url", "%s", err)
	}
	inst.URL = strings.TrimRight(strings.TrimSpace(inst.URL), "/")
	if inst.ID == 0 || inst.ConnectionID == nil {
		if token == "" {
			return inst, gate.FieldErrorf("password", "This field is required.")
		}
		return t.addInstance(ctx, s, inst, token)
	}
	if token != "" {
		if err := t.changeSecrets(ctx, s, inst, func(x map[string]string) { x[password] = token }); err != nil {
			return inst, err
		}
	}
	return s.UpdateJIRAInstance(ctx, inst)
}

func (t *Tracker) addInstance(ctx context.Context, s *store.Store, inst store.JIRAInstance, token string) (store.JIRAInstance, error) {
	publicID := random()
	name := inst.ConfigurationName
	if name == "" {
		name = inst.URL
	}
	conn := store.Connection{PublicID: publicID, Kind: Channel, Name: "JIRA " + name + " " + publicID[:6], Enabled: true, Settings: json.RawMessage(`{}`)}
	var err error
	if conn.Secrets, err = t.Box.SealObject(store.SecretsOf(publicID), map[string]string{password: token, webhook: newSecret()}); err != nil {
		return inst, err
	}
	id, err := s.AddConnection(ctx, conn)
	if err != nil {
		return inst, err
	}
	inst.ConnectionID = &id
	if inst.ID != 0 {
		return s.UpdateJIRAInstance(ctx, inst)
	}
	return s.AddJIRAInstance(ctx, inst)
}

// changeSecrets changes an instance's secrets.
func (t *Tracker) changeSecrets(ctx context.Context, s *store.Store, inst store.JIRAInstance, change func(map[string]string)) error {
	x, conn, err := t.secrets(ctx, s, inst)
	if err != nil {
		return err
	}
	change(x)
	if conn.Secrets, err = t.Box.SealObject(store.SecretsOf(conn.PublicID), x); err != nil {
		return err
	}
	return s.SaveConnection(ctx, conn)
}

// RenewWebhookSecret gives an instance's webhook a new secret and returns it,
// the only time that it is shown. The old one is good until it is renewed again.
func (t *Tracker) RenewWebhookSecret(ctx context.Context, inst store.JIRAInstance) (string, error) {
	secret := newSecret()
	return secret, t.changeSecrets(ctx, t.Store, inst, func(x map[string]string) { x[webhookPrevious], x[webhook] = x[webhook], secret })
}

// legacySecret is what DefectDojo takes for a secret in an address; shorter ones
// could be guessed.
var legacySecret = regexp.MustCompile(`^[\w-]{16,200}$`)

// SetLegacySecret gives an instance the secret that DefectDojo had in the address
// of JIRA's webhook, so that JIRA need not be changed. The whole address is taken
// as well; a blank one closes that address.
func (t *Tracker) SetLegacySecret(ctx context.Context, inst store.JIRAInstance, secret string) error {
	secret = strings.TrimRight(strings.TrimSpace(secret), "/")
	secret = secret[strings.LastIndex(secret, "/")+1:]
	if secret != "" && !legacySecret.MatchString(secret) {
		return gate.FieldErrorf("secret", "It must have 16 to 200 letters, digits, - and _.")
	}
	return t.changeSecrets(ctx, t.Store, inst, func(x map[string]string) {
		if x[webhookLegacy] = secret; secret == "" {
			delete(x, webhookLegacy)
		}
	})
}

// HasLegacySecret tells whether an instance has one.
func (t *Tracker) HasLegacySecret(ctx context.Context, inst store.JIRAInstance) (bool, error) {
	x, _, err := t.secrets(ctx, t.Store, inst)
	return x[webhookLegacy] != "", err
}

func newSecret() string { return random() + random() }

func random() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Probe is what a test of an instance found.
type Probe struct {
	Account    string // who we are there
	Deployment string
	Version    string
}

// TestInstance asks an instance who we are and what it is, and keeps that.
func (t *Tracker) TestInstance(ctx context.Context, inst store.JIRAInstance) (Probe, error) {
	p, err := t.probe(ctx, inst)
	if err != nil {
		secrets, _, _ := t.secrets(ctx, t.Store, inst)
		said := integrations.Redact(err.Error(), secrets[password], secrets[webhook])
		if e := t.Store.ChannelFailed(ctx, Channel, inst.ID, said, t.Now()); e != nil {
			return p, e
		}
		return p, gate.Errorf(gate.Invalid, "%s", said)
	}
	return p, t.Store.ChannelWorked(ctx, Channel, inst.ID, t.Now())
}

func (t *Tracker) probe(ctx context.Context, inst store.JIRAInstance) (Probe, error) {
	c, err := t.client(ctx, inst)
	if err != nil {
		return Probe{}, err
	}
	server, err := c.Server(ctx)
	if err != nil {
		return Probe{}, err
	}
	me, err := c.Myself(ctx)
	if err != nil {
		return Probe{}, err
	}
	if inst.Deployment != server.Deployment || inst.Account != me.ID() {
		inst.Deployment, inst.Account = server.Deployment, me.ID()
		if _, err := t.Store.UpdateJIRAInstance(ctx, inst); err != nil {
			return Probe{}, err
		}
	}
	name := me.DisplayName
	if name == "" {
		name = me.ID()
	}
	return Probe{name, server.Deployment, server.Version}, nil
}

// known returns an instance of which it is known whether it is in the Cloud: the
// address does not tell where a company has its own, and they differ in how they
// are searched. Who cannot be asked just now is asked the next time.
func (t *Tracker) known(ctx context.Context, inst store.JIRAInstance) (store.JIRAInstance, error) {
	if inst.Deployment != "" || jira.IsCloud(inst.URL) {
		return inst, nil
	}
	if _, err := t.probe(ctx, inst); err != nil {
		return inst, nil //nolint:nilerr // what it is needed for says what is wrong
	}
	return t.Store.JIRAInstance(ctx, inst.ID)
}

// account returns who we are at an instance, asking it if nobody has yet.
func (t *Tracker) account(ctx context.Context, c *jira.Client, inst *store.JIRAInstance) error {
	if inst.Account != "" {
		return nil
	}
	me, err := c.Myself(ctx)
	if err != nil {
		return err
	}
	inst.Account = me.ID()
	_, err = t.Store.UpdateJIRAInstance(ctx, *inst)
	return err
}

// TestProject tells what is wrong with a project's settings, by asking JIRA.
func (t *Tracker) TestProject(ctx context.Context, p store.JIRAProject) error {
	if p.JIRAInstanceID == nil {
		return gate.FieldErrorf("jira_instance", "The project names no JIRA instance.")
	}
	inst, err := t.Store.JIRAInstance(ctx, *p.JIRAInstanceID)
	if err != nil {
		return err
	}
	c, err := t.client(ctx, inst)
	if e, ok := errors.AsType[*integrations.Error](err); ok {
		return gate.FieldErrorf("jira_instance", "%s", e)
	}
	if err != nil {
		return err
	}
	for _, name := range issueTypes(inst, p) {
		typ, err := c.Type(ctx, p.ProjectKey, name)
		if e, ok := errors.AsType[*integrations.Error](err); ok {
			return gate.FieldErrorf("project_key", "%s", e)
		}
		if err != nil {
			return err
		}
		given := jira.Fields{"project": 1, "issuetype": 1, "summary": 1, "description": 1, "priority": 1, "labels": 1, "duedate": 1, "environment": 1, typ.EpicName(): 1}
		for id := range customFields(p) {
			given[id] = 1
		}
		if p.DefaultAssignee != nil && *p.DefaultAssignee != "" {
			given["assignee"] = 1
		}
		if p.Component != "" {
			given["components"] = 1
		}
		if missing := typ.Missing(given); len(missing) > 0 {
			return gate.FieldErrorf("custom_fields", "An issue of type %s needs %s: give them here.", name, strings.Join(missing, ", "))
		}
	}
	return nil
}

func issueTypes(inst store.JIRAInstance, p store.JIRAProject) []string {
	out := []string{inst.DefaultIssueType}
	if p.EpicMapping {
		out = append(out, p.EpicIssueTypeName)
	}
	return out
}

func customFields(p store.JIRAProject) jira.Fields {
	var f jira.Fields
	if json.Unmarshal(p.CustomFields, &f) != nil {
		return nil
	}
	return f
}

type typeKey struct {
	instance      int64
	project, name string
}

type cachedType struct {
	jira.Type

	until time.Time
}

// typeTime is how long what a project wants of its issues is remembered.
const typeTime = 5 * time.Minute

// typ returns an issue type of a project.
func (t *Tracker) typ(ctx context.Context, c *jira.Client, inst store.JIRAInstance, project, name string) (jira.Type, error) {
	key := typeKey{inst.ID, project, name}
	if v, ok := t.types.Load(key); ok {
		if kept := v.(cachedType); kept.until.After(t.Now()) { //nolint:forcetypeassert // nothing else is in it
			return kept.Type, nil
		}
	}
	typ, err := c.Type(ctx, project, name)
	if err == nil {
		t.types.Store(key, cachedType{typ, t.Now().Add(typeTime)})
	}
	return typ, err
}
