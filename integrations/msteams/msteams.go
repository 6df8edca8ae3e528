// Package msteams posts messages to Microsoft Teams, as adaptive cards to the
// address of a workflow ("Post to a channel when a webhook request is received")
// or of an older incoming webhook. The address is the secret.
//
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
package msteams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"defectdojo/integrations"
)

// Config is where messages are posted to.
type Config struct {
	URL string // secret
}

// Validate tells what is wrong with a configuration, by field.
func (c Config) Validate() map[string]string {
	if err := integrations.CheckURL(c.URL); err != nil {
		return map[string]string{"url": err.Error()}
	}
	return map[string]string{}
}

// maxBytes is the size of the largest message; Teams takes 28 KB.
const maxBytes = 25 << 10

// Send posts a message.
func Send(ctx context.Context, client *http.Client, c Config, m integrations.Message, now time.Time) (int, error) {
	body, err := Card(m)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return 0, &integrations.Error{System: system, Op: op, Permanent: true, Err: errors.New("the address is not one")}
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return 0, integrations.FromResponse(system, op, http.MethodPost, nil, integrations.WithoutURL(err), now)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
	said := errors.New(integrations.Redact(strings.ToValidUTF8(strings.TrimSpace(string(text)), ""), integrations.PartsOf(c.URL)...))
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return resp.StatusCode, &integrations.Error{System: system, Op: op, Status: resp.StatusCode, Permanent: true, Err: errors.New("a redirect is not followed")}
	}
	if resp.StatusCode < 300 {
		return resp.StatusCode, refused(string(text), said)
	}
	return resp.StatusCode, integrations.FromResponse(system, op, http.MethodPost, resp, said, now)
}

const system, op = "msteams", "post"

// refused reads the answer of an older incoming webhook, which says 200 also
// when it could not deliver.
func refused(text string, said error) error {
	switch {
	case !strings.Contains(text, "failed with error"):
		return nil
	case strings.Contains(text, "HTTP error 429"):
		return &integrations.Error{System: system, Op: op, Status: http.StatusTooManyRequests, After: time.Minute, Err: said}
	}
	return &integrations.Error{System: system, Op: op, Err: said}
}

type object map[string]any

// Card returns a message as an adaptive card, in the envelope that Teams wants.
func Card(m integrations.Message) ([]byte, error) {
	for {
		b, err := json.Marshal(object{"type": "message", "attachments": []object{{
			"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card(m),
		}}})
		if err != nil || len(b) <= maxBytes {
			return b, err
		}
		if len(m.Items) == 0 {
			m.Text = integrations.Clip(m.Text, len([]rune(m.Text))/2)
			continue
		}
		cut := len(m.Items) / 2
		m.More += len(m.Items) - cut
		m.Items = m.Items[:cut]
	}
}

// card is the card itself: https://adaptivecards.io/explorer/
func card(m integrations.Message) object {
	body := []object{text(m.Title, 200, object{"size": "Medium", "weight": "Bolder"})}
	if m.Text != "" {
		body = append(body, text(m.Text, 3000, nil))
	}
	var facts []object
	for _, f := range m.Facts {
		facts = append(facts, object{"title": escape(f.Name), "value": escape(integrations.Clip(f.Value, 200))})
	}
	if facts != nil {
		body = append(body, object{"type": "FactSet", "facts": facts})
	}
	for _, i := range m.Items {
		line := escape(integrations.Clip(i.Title, 200))
		if i.URL != "" {
			line = "[" + line + "](" + link(i.URL) + ")"
		}
		if i.Mark != "" {
			line = escape(i.Mark) + ": " + line
		}
		body = append(body, object{"type": "TextBlock", "text": line, "wrap": true, "spacing": "Small"})
	}
	if m.More > 0 {
		more, _ := json.Marshal(m.More)
		body = append(body, text("and "+string(more)+" more", 100, object{"isSubtle": true, "spacing": "Small"}))
	}
	for _, below := range []string{m.Footer, m.Disclaimer} {
		if below != "" {
			body = append(body, text(below, 3000, object{"isSubtle": true, "size": "Small"}))
		}
	}
	c := object{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	if m.URL != "" {
		c["actions"] = []object{{"type": "Action.OpenUrl", "title": "Open", "url": m.URL}}
	}
	return c
}

func text(s string, limit int, more object) object {
	o := object{"type": "TextBlock", "text": escape(integrations.Clip(s, limit)), "wrap": true}
	maps.Copy(o, more)
	return o
}

// escaping takes the meaning from what Markdown has one for.
var escaping = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "(", `\(`, ")", `\)`, "#", `\#`, "~", `\~`, "`", "\\`", ">", `\>`, "<", `\<`, "!", `\!`)

func escape(s string) string { return escaping.Replace(s) }

var linking = strings.NewReplacer("(", "%28", ")", "%29", " ", "%20")

func link(u string) string { return linking.Replace(u) }
