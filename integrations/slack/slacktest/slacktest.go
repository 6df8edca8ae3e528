// Package slacktest is a workspace of Slack for tests. It checks every request
// against Slack's own description of the Web API and of Block Kit, cut down to
// what is in use, and against the limits that those do not name.
package slacktest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"defectdojo/integrations/integrationtest"
)

// Token is the bot's.
const Token = "xoxb-0000-hunter2hunter2hunter2"

// TeamID is the workspace's.
const TeamID = "T0GATE"

//go:embed web-api.json
var description []byte

//go:embed blocks.json
var blocks []byte

// Message is one that was posted.
type Message struct {
	Channel string
	TS      string
	Thread  string
	Text    string
	Blocks  string // JSON
	Shout   bool
	Edits   int
	Key     string // of ours, in its metadata
	meta    json.RawMessage
}

// Member is somebody in the workspace.
type Member struct {
	ID, Email, TeamID string
	Guest             bool
}

// Workspace is a fake of Slack.
type Workspace struct {
	*integrationtest.Fake

	// Now is the workspace's clock; nil: the machine's.
	Now func() time.Time
	// Posted is called when a message has been posted and nobody was answered yet.
	Posted func(Message)

	t      testing.TB
	schema *jsonschema.Schema

	mu       sync.Mutex
	messages []*Message
	whispers []Message // seen by one alone
	forms    []string  // views that were opened
	members  []Member
	budget   map[string]int
	blind    bool
	names    []string // of channels
}

// New starts a workspace with some members.
func New(t testing.TB, members ...Member) *Workspace {
	t.Helper()
	w := &Workspace{Fake: integrationtest.New(t, description, "/api"), t: t, members: members, budget: map[string]int{}}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(blocks))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("blocks.json", doc); err != nil {
		t.Fatal(err)
	}
	if w.schema, err = c.Compile("blocks.json"); err != nil {
		t.Fatal(err)
	}
	for path, h := range map[string]http.HandlerFunc{
		"chat.postMessage": w.post, "chat.update": w.update, "chat.postEphemeral": w.whisper, "users.lookupByEmail": w.lookup,
		"users.info": w.info, "auth.test": w.auth, "views.open": w.open, "conversations.open": w.openDirect,
		"conversations.history": w.history, "conversations.replies": w.history, "conversations.list": w.channels,
	} {
		w.Handle("POST /api/"+path, w.signed(h))
	}
	return w
}

// APIURL is where the workspace is.
func (w *Workspace) APIURL() string { return w.URL + "/api/" }

// Messages returns what was posted, the oldest first.
func (w *Workspace) Messages() []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Message
	for _, m := range w.messages {
		out = append(out, *m)
	}
	return out
}

// Whispers returns what was told somebody alone.
func (w *Workspace) Whispers() []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Message(nil), w.whispers...)
}

// Forms returns the forms that were opened.
func (w *Workspace) Forms() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.forms...)
}

// Remove removes a message, as somebody in the channel may.
func (w *Workspace) Remove(ts string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, m := range w.messages {
		if m.TS == ts {
			w.messages = append(w.messages[:i], w.messages[i+1:]...)
			return
		}
	}
}

func (w *Workspace) signed(h http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+Token && r.PostFormValue("token") != Token {
			answer(rw, map[string]any{"ok": false, "error": "invalid_auth"})
			return
		}
		h(rw, r)
	}
}

func answer(w http.ResponseWriter, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func no(w http.ResponseWriter, reason string) {
	answer(w, map[string]any{"ok": false, "error": reason})
}

// Check tells what Slack would not take of a message.
func (w *Workspace) Check(text, blocks string) error {
	if len([]rune(text)) > 4000 {
		return fmt.Errorf("the text has %d characters", len([]rune(text)))
	}
	if blocks == "" {
		return nil
	}
	var list []any
	if err := json.Unmarshal([]byte(blocks), &list); err != nil {
		return err
	}
	if len(list) == 0 || len(list) > 50 {
		return fmt.Errorf("%d blocks", len(list))
	}
	for i, b := range list {
		if err := w.schema.Validate(b); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
		if err := lengths(b); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
	}
	return nil
}

// lengths checks what the schema does not: sections have 1 to 3,000 characters,
// fields 2,000 and ten of them, buttons 75, and mark-up is balanced.
func lengths(block any) error {
	o, _ := block.(map[string]any)
	if t, ok := o["text"].(map[string]any); ok {
		if err := textual(t, 3000); err != nil {
			return err
		}
	}
	fields, _ := o["fields"].([]any)
	if len(fields) > 10 {
		return fmt.Errorf("%d fields", len(fields))
	}
	if o["type"] == "section" && o["text"] == nil && len(fields) == 0 {
		return errors.New("a section without text")
	}
	for _, f := range fields {
		if err := textual(f.(map[string]any), 2000); err != nil {
			return err
		}
	}
	elements, _ := o["elements"].([]any)
	for _, e := range elements {
		e := e.(map[string]any)
		if t, ok := e["text"].(map[string]any); ok {
			if err := textual(t, 75); err != nil {
				return err
			}
		}
		if u, _ := e["url"].(string); len(u) > 3000 {
			return fmt.Errorf("a URL of %d characters", len(u))
		}
	}
	return nil
}

func textual(t map[string]any, limit int) error {
	s, _ := t["text"].(string)
	if n := len([]rune(s)); n == 0 || n > limit {
		return fmt.Errorf("a text of %d characters, not 1 to %d", n, limit)
	}
	if t["type"] != "mrkdwn" {
		return nil
	}
	// Every < must begin a link of ours, and be ended: anything else addresses people.
	for rest := s; ; {
		_, after, found := strings.Cut(rest, "<")
		if !found {
			return nil
		}
		inner, tail, ended := strings.Cut(after, ">")
		if !ended || !strings.HasPrefix(inner, "http") || strings.Contains(inner, "<") {
			return fmt.Errorf("mark-up in %.200q", s)
		}
		rest = tail
	}
}

func (w *Workspace) take(rw http.ResponseWriter, r *http.Request) bool {
	if err := w.Check(r.FormValue("text"), r.FormValue("blocks")); err != nil {
		w.t.Errorf("%s: Slack does not take this: %v\n%.3000s", r.URL.Path, err, r.FormValue("blocks"))
		no(rw, "invalid_blocks")
		return false
	}
	return true
}

func (w *Workspace) post(rw http.ResponseWriter, r *http.Request) {
	if !w.take(rw, r) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	channel := r.FormValue("channel")
	if left, limited := w.budget[channel]; limited {
		if left == 0 {
			rw.Header().Set("Retry-After", "1")
			rw.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.budget[channel]--
	}
	thread := r.FormValue("thread_ts")
	if thread != "" && w.find(thread) == nil {
		no(rw, "thread_not_found")
		return
	}
	m := &Message{
		Channel: idOf(channel), TS: w.stamp(), Thread: thread, Text: r.FormValue("text"), Blocks: r.FormValue("blocks"), Shout: r.FormValue("reply_broadcast") == "true",
	}
	if err := m.carry(r.FormValue("metadata")); err != nil {
		w.t.Errorf("%s: %v", r.URL.Path, err)
		no(rw, "invalid_metadata_format")
		return
	}
	w.messages = append(w.messages, m)
	if strings.HasPrefix(channel, "#") && !slices.Contains(w.names, channel) {
		w.names = append(w.names, channel)
	}
	if w.Posted != nil {
		w.Posted(*m)
	}
	answer(rw, map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS, "message": map[string]any{"text": m.Text}})
}

// Allow lets so many messages more into a channel; others are answered 429.
func (w *Workspace) Allow(channel string, messages int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.budget[channel] = messages
}

func (w *Workspace) find(ts string) *Message {
	for _, m := range w.messages {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

func (w *Workspace) update(rw http.ResponseWriter, r *http.Request) {
	if !w.take(rw, r) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.find(r.FormValue("ts"))
	if m == nil || m.Channel != r.FormValue("channel") {
		no(rw, "message_not_found")
		return
	}
	m.Text, m.Blocks = r.FormValue("text"), r.FormValue("blocks")
	m.Edits++
	answer(rw, map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS, "text": m.Text})
}

func (w *Workspace) whisper(rw http.ResponseWriter, r *http.Request) {
	if !w.take(rw, r) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whispers = append(w.whispers, Message{Channel: r.FormValue("channel") + "/" + r.FormValue("user"), Text: r.FormValue("text")})
	answer(rw, map[string]any{"ok": true, "message_ts": strconv.Itoa(len(w.whispers))})
}

func (w *Workspace) member(rw http.ResponseWriter, is func(Member) bool, reason string) {
	for _, m := range w.members {
		if is(m) {
			answer(rw, map[string]any{"ok": true, "user": map[string]any{"id": m.ID, "team_id": m.TeamID, "is_restricted": m.Guest, "profile": map[string]any{"email": m.Email}}})
			return
		}
	}
	no(rw, reason)
}

func (w *Workspace) lookup(rw http.ResponseWriter, r *http.Request) {
	w.member(rw, func(m Member) bool { return m.Email == r.FormValue("email") }, "users_not_found")
}

func (w *Workspace) info(rw http.ResponseWriter, r *http.Request) {
	w.member(rw, func(m Member) bool { return m.ID == r.FormValue("user") }, "user_not_found")
}

func (w *Workspace) auth(rw http.ResponseWriter, _ *http.Request) {
	answer(rw, map[string]any{"ok": true, "url": "https://gate.slack.com/", "team": "Gate", "team_id": TeamID, "user": "gate", "user_id": "U0BOT"})
}

func (w *Workspace) open(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		TriggerID string `json:"trigger_id"`
		View      struct {
			Blocks json.RawMessage `json:"blocks"`
		} `json:"view"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		no(rw, "invalid_arguments")
		return
	}
	if err := w.Check("", string(body.View.Blocks)); err != nil {
		w.t.Errorf("views.open: %v\n%s", err, body.View.Blocks)
	}
	if body.TriggerID == "late" {
		no(rw, "expired_trigger_id")
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forms = append(w.forms, string(body.View.Blocks))
	answer(rw, map[string]any{"ok": true, "view": map[string]any{"id": "V1"}})
}

// Form returns a payload in the form in which Slack sends interactions.
func Form(payload string) string { return url.Values{"payload": {payload}}.Encode() }

// Sign returns the signature of a request of Slack's.
func Sign(secret, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", timestamp, body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}
