// Package jiratest is a JIRA for tests: it holds projects and issues, checks
// every request by a part of Atlassian's own description, and fails as it is told.
package jiratest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Statuses of every project, and the transitions that lead to them from any.
var statuses = []struct{ id, name, category, transition string }{
	{"10000", "To Do", "new", "11"},
	{"10001", "In Progress", "indeterminate", "21"},
	{"10002", "Done", "done", "31"},
	{"10003", "Won't Do", "done", "41"},
}

// Fault is what goes wrong with one request.
type Fault string

// The faults.
const (
	OK              Fault = ""
	ResetBefore     Fault = "reset before"     // nothing was done
	ErrorAfter      Fault = "500 after"        // it was done, and the answer is an error
	ResetAfter      Fault = "reset after"      // it was done, and there is no answer
	HangAfter       Fault = "hang after"       // it was done, and the answer never comes
	TooMany         Fault = "429"              // nothing was done: later
	Unavailable     Fault = "503"              // nothing was done, though nobody can know
	Unauthorized    Fault = "401"              // nothing was done
	ResponseCut     Fault = "response cut off" // it was done, and half of the answer comes
	ForbiddenFields Fault = "400"              // nothing was done, nor will it be
)

// Field is a field of a project's new issues.
type Field struct {
	ID, Name, Custom string
	Required         bool
}

// Issue is an issue.
type Issue struct {
	ID, Key     string
	Type        string
	Fields      map[string]any
	Status      string
	Resolution  string
	Created     time.Time
	Updated     time.Time
	Comments    []Comment
	Attachments []string
}

// Comment is a comment.
type Comment struct{ ID, Author, Body string }

// Call is a request that came.
type Call struct {
	Method, Path string
	Body         map[string]any
}

// Server is a JIRA.
type Server struct {
	URL      string
	Username string
	Secret   string
	Account  string        // who the username is
	Cloud    bool          // Data Center names users, and searches elsewhere
	Lag      time.Duration // until a search finds what is new
	Now      func() time.Time

	// Fault tells what goes wrong with a request; nil: nothing.
	Fault func(Call) Fault

	t      testing.TB
	mu     sync.Mutex
	fields map[string][]Field // by issue type
	issues []*Issue
	calls  []Call
	wrong  []string
	last   int
	server *httptest.Server
}

// New starts one; it ends with the test, which fails if a request was not as
// Atlassian describes it.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{ //nolint:gosec // a secret that is none
		t: t, Username: "gate@example.com", Secret: "CANARY-jira-token", Account: "5b10a2844c20165700ede21g", Cloud: true, Now: time.Now, //nolint:forbidigo // until the test says otherwise
		last: 9999,
		fields: map[string][]Field{
			"Bug": {
				{ID: "summary", Name: "Summary", Required: true},
				{ID: "issuetype", Name: "Issue Type", Required: true},
				{ID: "project", Name: "Project", Required: true},
				{ID: "description", Name: "Description"},
				{ID: "priority", Name: "Priority"},
				{ID: "labels", Name: "Labels"},
				{ID: "environment", Name: "Environment"},
				{ID: "duedate", Name: "Due date"},
				{ID: "components", Name: "Components"},
				{ID: "assignee", Name: "Assignee"},
				{ID: "parent", Name: "Parent"},
				{ID: "customfield_10050", Name: "Team"},
			},
		},
	}
	s.fields["Epic"] = append(slices.Clone(s.fields["Bug"]), Field{ID: "customfield_10011", Name: "Epic Name", Custom: "com.pyxis.greenhopper.jira:gh-epic-label"})
	s.server = httptest.NewServer(s)
	s.URL = s.server.URL
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
		for _, w := range s.Wrong() {
			t.Errorf("jira was asked wrongly: %s", w)
		}
	})
	return s
}

// Wrong returns what was wrong with the requests so far, and forgets it.
func (s *Server) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wrong
	s.wrong = nil
	return w
}

// AddField adds a field to an issue type.
func (s *Server) AddField(issueType string, f Field) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fields[issueType] = append(s.fields[issueType], f)
}

// Calls returns the requests so far of a method ("" is any) whose path holds a text.
func (s *Server) Calls(method, path string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if (method == "" || c.Method == method) && strings.Contains(c.Path, path) {
			out = append(out, c)
		}
	}
	return out
}

// Issues returns copies of all issues.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Issue
	for _, i := range s.issues {
		c := *i
		c.Comments, c.Attachments = slices.Clone(i.Comments), slices.Clone(i.Attachments)
		out = append(out, c)
	}
	return out
}

// Open tells whether an issue is not done.
func (i Issue) Open() bool { return category(i.Status) != "done" }

// Labels returns an issue's labels.
func (i Issue) Labels() []string {
	var out []string
	for _, l := range list(i.Fields["labels"]) {
		out = append(out, fmt.Sprint(l))
	}
	return out
}

// Move is somebody moving an issue to a status, with a resolution if it is done.
func (s *Server) Move(key, status, resolution string) {
	s.change(key, func(i *Issue) { i.Status, i.Resolution = status, resolution })
}

// Say is somebody commenting on an issue.
func (s *Server) Say(key, who, text string) {
	s.change(key, func(i *Issue) { i.Comments = append(i.Comments, Comment{s.number(), who, text}) })
}

// Remove is somebody deleting an issue.
func (s *Server) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues = slices.DeleteFunc(s.issues, func(i *Issue) bool { return i.Key == key })
}

func (s *Server) change(key string, f func(*Issue)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(key)
	if i == nil {
		s.t.Errorf("jiratest: no issue %s", key)
		return
	}
	f(i)
	i.Updated = s.Now()
}

func (s *Server) number() string { s.last++; return strconv.Itoa(s.last) }

func (s *Server) find(key string) *Issue {
	for _, i := range s.issues {
		if i.Key == key || i.ID == key {
			return i
		}
	}
	return nil
}

func category(status string) string {
	for _, st := range statuses {
		if st.name == status {
			return st.category
		}
	}
	return ""
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

func refuse(w http.ResponseWriter, status int, messages ...string) {
	answer(w, status, map[string]any{"errorMessages": messages, "errors": map[string]string{}})
}

func refuseField(w http.ResponseWriter, field, message string) {
	answer(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{}, "errors": map[string]string{field: message}})
}
