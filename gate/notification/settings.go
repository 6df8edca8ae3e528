package notification

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations/mail"
	"defectdojo/integrations/msteams"
	"defectdojo/integrations/slack"
)

// Settings are those of a connection of a channel, secrets aside.
type Settings struct {
	Address       string        `json:"address,omitempty"` // the channel in Slack, or where mail goes: several with commas
	MinSeverity   gate.Severity `json:"min_severity"`      // of what it is told
	DigestMinutes int           `json:"digest_minutes,omitempty"`
	Products      []int64       `json:"products,omitempty"`    // the only ones; none: all, and what is about none
	TellOwners    bool          `json:"tell_owners,omitempty"` // Slack: direct messages to those who answer for a product

	Webhook bool   `json:"webhook,omitempty"` // Slack: an incoming webhook, not a bot
	APIURL  string `json:"api_url,omitempty"` // Slack: where not its own

	Host     string        `json:"host,omitempty"` // mail, as those below
	Port     int           `json:"port,omitempty"`
	Security mail.Security `json:"security,omitempty"`
	Username string        `json:"username,omitempty"`
	From     string        `json:"from,omitempty"`
}

// The names of connections' secrets.
const (
	SecretToken         = "token"
	SecretSigning       = "signing_secret"
	SecretWebhookURL    = "webhook_url"  //nolint:gosec // a name
	SecretPassword      = "password"     //nolint:gosec // a name
	SecretHeaderValue   = "header_value" // of a notification webhook
	SecretWebhookSecret = "secret"       // likewise
)

// ConnectionSecrets are the names of the secrets of each kind of connection.
var ConnectionSecrets = map[string][]string{
	"slack": {SecretToken, SecretSigning, SecretWebhookURL}, "msteams": {SecretWebhookURL}, "mail": {SecretPassword},
}

// ReadSettings reads a connection's settings.
func ReadSettings(c store.Connection) (Settings, error) {
	var s Settings
	if len(c.Settings) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(c.Settings, &s); err != nil {
		return s, fmt.Errorf("the settings of connection %d: %w", c.ID, err)
	}
	return s, nil
}

// takes tells whether a connection is for a notice at all.
func (s Settings) takes(n Notice) bool {
	return len(s.Products) == 0 || n.Product != nil && slices.Contains(s.Products, n.Product.ID)
}

// maxDigest is a day, in minutes.
const maxDigest = 24 * 60

// Check tells what is wrong with the settings and secrets of a kind of
// connection, by field.
func (s Settings) Check(kind string, secrets map[string]string) map[string]string {
	wrong := map[string]string{}
	if s.DigestMinutes < 0 || s.DigestMinutes > maxDigest {
		wrong["digest_minutes"] = "it must be between 0 and 1440"
	}
	switch kind {
	case "slack":
		maps.Copy(wrong, s.slack(secrets).Validate())
		if !s.Webhook && s.Address == "" {
			wrong["address"] = "name a channel, as #security or its ID"
		}
	case "msteams":
		for _, v := range (msteams.Config{URL: secrets[SecretWebhookURL]}).Validate() {
			wrong[SecretWebhookURL] = v
		}
	case "mail":
		maps.Copy(wrong, s.mail(secrets).Validate())
		for _, a := range addresses(Mail, s.Address) {
			if err := mail.CheckAddress(a); err != nil {
				wrong["address"] = a + ": " + err.Error()
			}
		}
	}
	return wrong
}

func (s Settings) slack(secrets map[string]string) slack.Config {
	if s.Webhook {
		return slack.Config{WebhookURL: secrets[SecretWebhookURL], APIURL: s.APIURL}
	}
	return slack.Config{Token: secrets[SecretToken], APIURL: s.APIURL}
}

func (s Settings) mail(secrets map[string]string) mail.Config {
	return mail.Config{
		Host: s.Host, Port: s.Port, Security: s.Security, Username: s.Username, Password: secrets[SecretPassword], From: strings.TrimSpace(s.From),
	}
}

// secretsOf opens the secrets of a connection.
func (n *Notifier) secretsOf(c store.Connection) (map[string]string, error) {
	return n.Box.OpenObject(store.SecretsOf(c.PublicID), c.Secrets)
}
