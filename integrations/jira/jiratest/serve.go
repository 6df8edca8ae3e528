package jiratest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ServeHTTP answers one request: wrongly, if the test wants that.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	call := Call{Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/rest/api/2")}
	_ = json.Unmarshal(body, &call.Body)
	fault := OK
	if s.Fault != nil {
		fault = s.Fault(call)
	}
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	switch fault {
	case ResetBefore:
		panic(http.ErrAbortHandler)
	case TooMany:
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusTooManyRequests, "Rate limit exceeded")
		return
	case Unavailable:
		refuse(w, http.StatusServiceUnavailable, "down for maintenance")
		return
	case Unauthorized:
		refuse(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
		return
	case ForbiddenFields:
		refuseField(w, "priority", "Field 'priority' cannot be set. It is not on the appropriate screen, or unknown.")
		return
	}
	done := httptest.NewRecorder()
	s.answer(done, r, body, call)
	switch fault {
	case ErrorAfter:
		refuse(w, http.StatusInternalServerError, "internal server error")
	case ResetAfter:
		panic(http.ErrAbortHandler)
	case HangAfter:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case ResponseCut:
		w.Header().Set("Content-Length", strconv.Itoa(done.Body.Len()))
		w.WriteHeader(done.Code)
		_, _ = w.Write(done.Body.Bytes()[:done.Body.Len()/2])
		panic(http.ErrAbortHandler)
	default:
		maps.Copy(w.Header(), done.Header())
		w.WriteHeader(done.Code)
		_, _ = w.Write(done.Body.Bytes())
	}
}

var paths = regexp.MustCompile(`^/rest/api/2/(?:(myself|serverInfo|search|search/jql|issue)|project/([^/]+)|issue/createmeta/([^/]+)/issuetypes(?:/([^/]+))?|issue/([^/]+)(?:/(\w+))?)$`)

func (s *Server) answer(w http.ResponseWriter, r *http.Request, body []byte, call Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := check(r, body); why != "" {
		s.wrong = append(s.wrong, r.Method+" "+r.URL.Path+": "+why)
		refuse(w, http.StatusBadRequest, why)
		return
	}
	if !s.known(r) {
		refuse(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
		return
	}
	m := paths.FindStringSubmatch(r.URL.Path)
	if m == nil {
		s.wrong = append(s.wrong, r.Method+" "+r.URL.Path+" is not served here")
		refuse(w, http.StatusNotFound, "no such path")
		return
	}
	switch {
	case m[1] == "myself":
		answer(w, http.StatusOK, s.user(s.Account))
	case m[1] == "serverInfo":
		answer(w, http.StatusOK, map[string]any{"deploymentType": map[bool]string{true: "Cloud", false: "DataCenter"}[s.Cloud], "version": "10.3.0", "serverTitle": "JIRA"})
	case strings.HasPrefix(m[1], "search"):
		s.search(w, r, m[1])
	case m[1] == "issue":
		s.create(w, call.Body)
	case m[2] != "":
		s.project(w, m[2])
	case m[3] != "":
		s.meta(w, m[4])
	default:
		s.issue(w, r, call, m[5], m[6])
	}
}

func (s *Server) known(r *http.Request) bool {
	name, password, basic := r.BasicAuth()
	if basic {
		return name == s.Username && password == s.Secret
	}
	return s.Username == "" && r.Header.Get("Authorization") == "Bearer "+s.Secret
}

func (s *Server) user(id string) map[string]any {
	if s.Cloud {
		return map[string]any{"accountId": id, "displayName": id + " there", "active": true}
	}
	return map[string]any{"name": id, "key": id, "displayName": id + " there", "active": true}
}

func (s *Server) project(w http.ResponseWriter, key string) {
	if key == "NONE" {
		refuse(w, http.StatusNotFound, "No project could be found with key 'NONE'.")
		return
	}
	types := []any{}
	for _, name := range []string{"Bug", "Epic"} {
		types = append(types, map[string]any{"id": "1-" + name, "name": name, "subtask": false})
	}
	answer(w, http.StatusOK, map[string]any{"id": "10000", "key": key, "name": "Project " + key, "issueTypes": types, "style": "classic"})
}

func (s *Server) meta(w http.ResponseWriter, issueType string) {
	list := map[bool]string{true: "issueTypes", false: "values"}[s.Cloud]
	if issueType == "" {
		types := []any{}
		for _, name := range []string{"Bug", "Epic"} {
			types = append(types, map[string]any{"id": "1-" + name, "name": name})
		}
		answer(w, http.StatusOK, map[string]any{list: types, "total": len(types), "startAt": 0, "maxResults": 50})
		return
	}
	if s.Cloud {
		list = "fields"
	}
	fields := []any{}
	for _, f := range s.fields[strings.TrimPrefix(issueType, "1-")] {
		fields = append(fields, map[string]any{"fieldId": f.ID, "key": f.ID, "name": f.Name, "required": f.Required, "schema": map[string]string{"type": "string", "custom": f.Custom}})
	}
	answer(w, http.StatusOK, map[string]any{list: fields, "total": len(fields), "startAt": 0, "maxResults": 50})
}

var (
	byLabel = regexp.MustCompile(`^labels in \((.+)\) order by created asc$`)
	byID    = regexp.MustCompile(`^id in \(([\d, ]+)\)$`)
)

func (s *Server) search(w http.ResponseWriter, r *http.Request, path string) {
	if (path == "search/jql") != s.Cloud { // Cloud removed /search, Data Center never had the other
		refuse(w, http.StatusGone, "The requested API has been removed.")
		return
	}
	jql := r.URL.Query().Get("jql")
	var match func(*Issue) bool
	if m := byLabel.FindStringSubmatch(jql); m != nil {
		match = func(i *Issue) bool {
			return slices.ContainsFunc(i.Labels(), func(l string) bool { return strings.Contains(m[1], `"`+l+`"`) })
		}
	} else if m := byID.FindStringSubmatch(jql); m != nil {
		ids := strings.Split(m[1], ", ")
		match = func(i *Issue) bool { return slices.Contains(ids, i.ID) }
	} else {
		s.wrong = append(s.wrong, "jql: "+jql)
		refuse(w, http.StatusBadRequest, "Error in the JQL Query")
		return
	}
	found := []any{}
	for _, i := range s.issues {
		if match(i) && !i.Created.Add(s.Lag).After(s.Now()) {
			found = append(found, s.show(i))
		}
	}
	answer(w, http.StatusOK, map[string]any{"issues": found, "isLast": true, "total": len(found), "startAt": 0, "maxResults": 50})
}

func (s *Server) create(w http.ResponseWriter, body map[string]any) {
	fields, _ := body["fields"].(map[string]any)
	typed, _ := fields["issuetype"].(map[string]any)
	name := fmt.Sprint(typed["name"])
	on, known := s.fields[name]
	if !known {
		refuseField(w, "issuetype", "Specify a valid issue type")
		return
	}
	for _, f := range on {
		if f.Required && fields[f.ID] == nil {
			refuseField(w, f.ID, f.Name+" is required.")
			return
		}
	}
	if field, why := s.badFields(fields, on); why != "" {
		refuseField(w, field, why)
		return
	}
	key := fmt.Sprint(fields["project"].(map[string]any)["key"])
	i := &Issue{ID: s.number(), Type: name, Fields: fields, Status: "To Do", Created: s.Now(), Updated: s.Now()}
	i.Key = fmt.Sprintf("%s-%d", key, len(s.issues)+1)
	s.issues = append(s.issues, i)
	answer(w, http.StatusCreated, map[string]any{"id": i.ID, "key": i.Key, "self": s.URL + "/rest/api/2/issue/" + i.ID})
}

// badFields tells what JIRA would not take of some fields.
func (s *Server) badFields(fields map[string]any, on []Field) (string, string) {
	for id, v := range fields {
		if !slices.ContainsFunc(on, func(f Field) bool { return f.ID == id }) {
			return id, fmt.Sprintf("Field '%s' cannot be set. It is not on the appropriate screen, or unknown.", id)
		}
		text, isText := v.(string)
		switch {
		case id == "summary" && (strings.ContainsAny(text, "\r\n") || text == "" || utf8.RuneCountInString(text) > 255):
			return id, "The summary is invalid because it is blank, too long or contains newline characters."
		case isText && utf8.RuneCountInString(text) > 32767:
			return id, "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
		case id == "assignee":
			who, _ := v.(map[string]any)
			if s.Cloud && who["accountId"] == nil || !s.Cloud && who["name"] == nil {
				return id, "expected an account id at Cloud, a name elsewhere"
			}
		case id == "labels":
			for _, l := range list(v) {
				if strings.ContainsAny(fmt.Sprint(l), " \t\n") || l == "" {
					return id, fmt.Sprintf("The label '%v' contains spaces which is invalid.", l)
				}
			}
		case id == "duedate":
			if _, err := time.Parse(time.DateOnly, text); err != nil {
				return id, "Error parsing date string: " + text
			}
		case id == "priority":
			p, _ := v.(map[string]any)
			if !slices.Contains([]any{"Highest", "High", "Medium", "Low", "Lowest", "Trivial"}, p["name"]) {
				return id, "The priority selected is invalid."
			}
		}
	}
	return "", ""
}

func (s *Server) issue(w http.ResponseWriter, r *http.Request, call Call, key, part string) {
	i := s.find(key)
	if i == nil {
		refuse(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
		return
	}
	switch r.Method + " " + part {
	case "GET ":
		answer(w, http.StatusOK, s.show(i))
	case "PUT ":
		s.edit(w, i, call.Body)
	case "PUT assignee":
		i.Fields["assignee"] = call.Body
		i.Updated = s.Now()
		w.WriteHeader(http.StatusNoContent)
	case "GET transitions":
		all := []any{}
		for _, st := range statuses {
			all = append(all, map[string]any{"id": st.transition, "name": st.name, "to": status(st.name), "fields": map[string]any{}})
		}
		answer(w, http.StatusOK, map[string]any{"transitions": all})
	case "POST transitions":
		s.transit(w, i, call.Body)
	case "GET comment":
		answer(w, http.StatusOK, map[string]any{"comments": s.comments(i), "total": len(i.Comments), "startAt": 0, "maxResults": 100})
	case "POST comment":
		text := fmt.Sprint(call.Body["body"])
		if utf8.RuneCountInString(text) > 32767 || strings.TrimSpace(text) == "" {
			refuseField(w, "comment", "Comment body is not valid!")
			return
		}
		c := Comment{s.number(), s.Account, text}
		i.Comments = append(i.Comments, c)
		i.Updated = s.Now()
		answer(w, http.StatusCreated, map[string]any{"id": c.ID, "body": text, "author": s.user(s.Account)})
	case "POST attachments":
		s.attach(w, r, i)
	default:
		s.wrong = append(s.wrong, r.Method+" "+r.URL.Path+" is not served here")
		refuse(w, http.StatusNotFound, "no such path")
	}
}

func (s *Server) attach(w http.ResponseWriter, r *http.Request, i *Issue) {
	if token := r.Header.Get("X-Atlassian-Token"); token != "no-check" && token != "nocheck" {
		refuse(w, http.StatusForbidden, "XSRF check failed")
		return
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	_ = file.Close()
	i.Attachments = append(i.Attachments, header.Filename)
	i.Updated = s.Now()
	answer(w, http.StatusOK, []any{map[string]any{"id": s.number(), "filename": header.Filename}})
}

func (s *Server) edit(w http.ResponseWriter, i *Issue, body map[string]any) {
	fields, _ := body["fields"].(map[string]any)
	if field, why := s.badFields(fields, s.fields[i.Type]); why != "" {
		refuseField(w, field, why)
		return
	}
	maps.Copy(i.Fields, fields)
	update, _ := body["update"].(map[string]any)
	for _, op := range list(update["labels"]) {
		if add := op.(map[string]any)["add"]; add != nil && !slices.Contains(i.Labels(), fmt.Sprint(add)) {
			i.Fields["labels"] = append(list(i.Fields["labels"]), add)
		}
	}
	i.Updated = s.Now()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) transit(w http.ResponseWriter, i *Issue, body map[string]any) {
	t, _ := body["transition"].(map[string]any)
	for _, st := range statuses {
		if st.transition != t["id"] {
			continue
		}
		i.Status, i.Resolution, i.Updated = st.name, "", s.Now()
		if st.category == "done" {
			i.Resolution = st.name
			if f, _ := body["fields"].(map[string]any); f["resolution"] != nil {
				i.Resolution = fmt.Sprint(f["resolution"].(map[string]any)["name"])
			}
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refuse(w, http.StatusBadRequest, "It seems that you have tried to perform an illegal workflow operation.")
}

func (s *Server) show(i *Issue) map[string]any {
	fields := map[string]any{}
	maps.Copy(fields, i.Fields)
	fields["status"] = status(i.Status)
	fields["created"], fields["updated"] = stamp(i.Created), stamp(i.Updated)
	fields["resolution"] = nil
	if i.Resolution != "" {
		fields["resolution"] = map[string]any{"id": "1", "name": i.Resolution}
	}
	fields["comment"] = map[string]any{"comments": s.comments(i)}
	files := []any{}
	for _, f := range i.Attachments {
		files = append(files, map[string]any{"id": "1", "filename": f, "size": 1})
	}
	fields["attachment"] = files
	return map[string]any{"id": i.ID, "key": i.Key, "self": s.URL + "/rest/api/2/issue/" + i.ID, "fields": fields}
}

func (s *Server) comments(i *Issue) []any {
	out := []any{}
	for _, c := range i.Comments {
		out = append(out, map[string]any{"id": c.ID, "body": c.Body, "author": s.user(c.Author), "created": stamp(i.Created)})
	}
	return out
}

func status(name string) map[string]any {
	return map[string]any{"id": "1", "name": name, "statusCategory": map[string]any{"id": 2, "key": category(name), "name": name}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// Event is the delivery that JIRA would send of an issue.
func (s *Server) Event(name, key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := map[string]any{"webhookEvent": name, "timestamp": s.Now().UnixMilli()}
	if i := s.find(key); i != nil {
		body["issue"] = s.show(i)
	}
	b, _ := json.Marshal(body)
	return b
}
