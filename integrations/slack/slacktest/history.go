package slacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Blind takes the app's right to read away.
func (w *Workspace) Blind() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blind = true
}

// idOf is Slack's own name of a channel; what is between somebody and us begins
// with D.
func idOf(channel string) string {
	switch {
	case strings.HasPrefix(channel, "U"), strings.HasPrefix(channel, "C"), strings.HasPrefix(channel, "D"):
		return channel
	}
	return "C" + notInID.ReplaceAllString(strings.ToUpper(channel), "")
}

var notInID = regexp.MustCompile(`[^A-Z0-9]`)

// stamp names the next message by its time.
func (w *Workspace) stamp() string {
	now := time.Now() //nolint:forbidigo // a fake is an edge, unless its test has a clock
	if w.Now != nil {
		now = w.Now()
	}
	return fmt.Sprintf("%d.%06d", now.Unix(), len(w.messages)+1)
}

// types are the names that Slack takes for metadata:
// https://docs.slack.dev/reference/metadata
var types = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// carry reads a message's metadata.
func (m *Message) carry(text string) error {
	if text == "" {
		return nil
	}
	var meta struct {
		EventType    string         `json:"event_type"`
		EventPayload map[string]any `json:"event_payload"`
	}
	if err := json.Unmarshal([]byte(text), &meta); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if !types.MatchString(meta.EventType) || meta.EventPayload == nil {
		return fmt.Errorf("metadata %.200s", text)
	}
	m.meta = json.RawMessage(text)
	m.Key, _ = meta.EventPayload["key"].(string)
	return nil
}

// history answers both conversations.history and conversations.replies, a
// hundred at a time: the newest first, and those of a thread the oldest first.
func (w *Workspace) history(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blind {
		no(rw, "missing_scope")
		return
	}
	channel, thread, oldest := r.FormValue("channel"), r.FormValue("ts"), r.FormValue("oldest")
	var out []map[string]any
	for _, m := range w.messages {
		in := m.Channel == channel || strings.HasPrefix(m.Channel, "U") && channel == "D"+m.Channel[1:]
		top := m.Thread == "" || m.Shout
		if !in || oldest != "" && m.TS <= oldest || thread == "" && !top || thread != "" && m.Thread != thread && m.TS != thread {
			continue
		}
		v := map[string]any{"type": "message", "text": m.Text, "ts": m.TS}
		if r.FormValue("include_all_metadata") == "1" && m.meta != nil {
			v["metadata"] = m.meta
		}
		out = append(out, v)
	}
	if thread == "" {
		slices.Reverse(out)
	}
	at := 0
	_, _ = fmt.Sscanf(r.FormValue("cursor"), "at%d", &at)
	page, next := out[min(at, len(out)):], ""
	if len(page) > pageSize {
		page, next = page[:pageSize], fmt.Sprintf("at%d", at+pageSize)
	}
	answer(rw, map[string]any{"ok": true, "messages": page, "has_more": next != "", "response_metadata": map[string]any{"next_cursor": next}})
}

const pageSize = 100

func (w *Workspace) openDirect(rw http.ResponseWriter, r *http.Request) {
	answer(rw, map[string]any{"ok": true, "channel": map[string]any{"id": "D" + strings.TrimPrefix(r.FormValue("users"), "U")}})
}

// channels answers conversations.list with the channels that something was posted to.
func (w *Workspace) channels(rw http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blind {
		no(rw, "missing_scope")
		return
	}
	list := []map[string]any{}
	for _, name := range w.names {
		list = append(list, map[string]any{"id": idOf(name), "name": strings.TrimPrefix(name, "#")})
	}
	answer(rw, map[string]any{"ok": true, "channels": list, "response_metadata": map[string]any{"next_cursor": ""}})
}
