package slack

import (
	"fmt"
	"strconv"
	"strings"

	goslack "github.com/slack-go/slack"

	"defectdojo/integrations"
)

// Slack's limits: https://docs.slack.dev/reference/block-kit/blocks
const (
	maxBlocks = 50
	maxText   = 3000 // of a section
	maxHeader = 150
	maxFields = 10
	maxField  = 2000
	maxURL    = 3000
	// https://docs.slack.dev/reference/methods/chat.postMessage: longer ones are cut
	maxFallback = 4000
)

// The actions of the buttons.
const (
	ActionOpen   = "open"
	ActionAssign = "assign"
	ActionWaiver = "waiver"
)

// Message is a message with, if somebody listens to them, buttons beside its items.
type Message struct {
	integrations.Message

	Buttons bool
}

// escaping is all that Slack wants: https://docs.slack.dev/messaging/formatting-message-text#escaping
var escaping = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Escape takes the meaning from the three characters that have one. What stands
// between * or _ is shown so; nobody is addressed and nothing linked.
func Escape(s string) string { return escaping.Replace(s) }

// clipped escapes a text and cuts it so that it is not longer than limit then.
func clipped(s string, limit int) string {
	for n := limit; ; n -= max(1, n/10) {
		if out := Escape(integrations.Clip(s, n)); len([]rune(out)) <= limit {
			return out
		}
	}
}

// link writes a link. A URL that would end it early is left out.
func link(url, text string) string {
	if url == "" || strings.ContainsAny(url, "|<> \n") {
		return text
	}
	return "<" + Escape(url) + "|" + strings.ReplaceAll(text, "\n", " ") + ">"
}

// Fallback is what notifications and old programs show.
func (m Message) Fallback() string {
	text := m.Title
	if m.Text != "" {
		text += ": " + m.Text
	}
	return clipped(text, maxFallback)
}

// Blocks returns the message in Block Kit, within its limits.
func (m Message) Blocks() []goslack.Block {
	var out []goslack.Block
	title := strings.Join(strings.Fields(m.Title), " ")
	if title == "" {
		title = "Notification"
	}
	if len(m.URL) > maxURL {
		m.URL = ""
	}
	out = append(out, section("*"+link(m.URL, clipped(title, maxHeader))+"*"))
	if strings.TrimSpace(m.Text) != "" {
		out = append(out, section(clipped(m.Text, maxText)))
	}
	if f := m.fields(); f != nil {
		out = append(out, goslack.NewSectionBlock(nil, f, nil))
	}
	return append(out, m.items(maxBlocks-len(out))...)
}

func section(text string) goslack.Block { return goslack.NewSectionBlock(mrkdwn(text), nil, nil) }

func mrkdwn(text string) *goslack.TextBlockObject {
	return goslack.NewTextBlockObject(goslack.MarkdownType, text, false, false)
}

func plain(text string) *goslack.TextBlockObject {
	return goslack.NewTextBlockObject(goslack.PlainTextType, text, false, false)
}

func (m Message) fields() []*goslack.TextBlockObject {
	var out []*goslack.TextBlockObject
	for _, f := range m.Facts[:min(len(m.Facts), maxFields)] {
		out = append(out, mrkdwn("*"+clipped(f.Name, 100)+"*\n"+clipped(f.Value, maxField-200)))
	}
	return out
}

// items returns the blocks of the items, with buttons or without, and what comes
// after them: at most room.
func (m Message) items(room int) []goslack.Block {
	var out []goslack.Block
	more := m.More
	for i, item := range m.Items {
		block := []goslack.Block{section(line(item))}
		if m.Buttons && item.ID != 0 {
			block = append(block, buttons(item))
		}
		if len(out)+len(block) > room-3 { // for the three below
			more += len(m.Items) - i
			break
		}
		out = append(out, block...)
	}
	if more > 0 {
		out = append(out, section(fmt.Sprintf("and %d more", more)))
	}
	for _, below := range []string{m.Footer, m.Disclaimer} {
		if strings.TrimSpace(below) != "" {
			out = append(out, goslack.NewContextBlock("", mrkdwn(clipped(below, maxField))))
		}
	}
	return out
}

func line(i integrations.Item) string {
	if strings.TrimSpace(i.Title) == "" {
		i.Title = "(without a title)"
	}
	text := link(i.URL, clipped(i.Title, 300))
	if i.Mark != "" {
		text = "*" + clipped(i.Mark, 50) + "* " + text
	}
	return text
}

// buttons are those of a finding.
func buttons(i integrations.Item) goslack.Block {
	id := strconv.FormatInt(i.ID, 10)
	var out []goslack.BlockElement
	if i.URL != "" && len(i.URL) <= maxURL {
		out = append(out, goslack.NewButtonBlockElement(ActionOpen, id, plain("Open")).WithURL(i.URL))
	}
	out = append(
		out,
		goslack.NewButtonBlockElement(ActionAssign, id, plain("Assign to me")),
		goslack.NewButtonBlockElement(ActionWaiver, id, plain("Request a waiver")),
	)
	return goslack.NewActionBlock("finding-"+id, out...)
}
