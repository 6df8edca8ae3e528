package tracker

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"defectdojo/gate"
	"defectdojo/integrations/jira"
)

// want is what an issue should hold.
type want struct {
	typ         jira.Type
	Summary     string
	Description string
	Environment string
	Due         string
	Priority    string
	Labels      []string
	EpicID      string
}

// want says what the issue should hold, as far as its type has fields for it.
func (s *session) want(ctx context.Context) (want, error) {
	name := s.inst.DefaultIssueType
	if s.kind() == anEpic {
		name = s.p.EpicIssueTypeName
	}
	typ, err := s.typ(ctx, s.c, s.inst, s.p.ProjectKey, name)
	if err != nil {
		return want{}, err
	}
	return s.wantOf(ctx, typ)
}

func (s *session) wantOf(ctx context.Context, typ jira.Type) (want, error) {
	w := want{typ: typ, Summary: s.summary(), EpicID: s.subject.EpicID}
	if s.kind() == anEpic {
		w.Description, w.EpicID = w.Summary, ""
		return w, nil
	}
	places, err := s.places(ctx)
	if err != nil {
		return w, err
	}
	w.Description = s.description(places)
	if typ.Has("environment") {
		w.Environment = clip(strings.Join(places, "\n"), jira.MaxText)
	}
	if due := s.dueDay(); typ.Has("duedate") && !due.IsZero() {
		w.Due = due.Format(time.DateOnly)
	}
	if typ.Has("priority") {
		w.Priority = s.inst.Priority(s.worst())
	}
	if typ.Has("labels") {
		w.Labels = s.labels()
	}
	return w, nil
}

// digest tells one content from another: what did not change here is not
// written there again, so that what people edit there stays.
func (w want) digest() []byte {
	b, _ := json.Marshal([]string{w.Summary, w.Description, w.Environment, w.Due, w.Priority, w.EpicID}) // texts
	sum := sha256.Sum256(b)
	return sum[:]
}

// newFields are the fields of a new issue.
func (s *session) newFields(w want) jira.Fields {
	f := jira.Fields{}
	maps.Copy(f, customFields(s.p))
	f["project"], f["issuetype"] = jira.Fields{"key": s.p.ProjectKey}, jira.Fields{"name": w.typ.Name}
	f["summary"], f["description"] = w.Summary, w.Description
	if w.Environment != "" {
		f["environment"] = w.Environment
	}
	if w.Due != "" {
		f["duedate"] = w.Due
	}
	if w.Priority != "" {
		f["priority"] = jira.Fields{"name": w.Priority}
	}
	if w.typ.Has("labels") {
		f["labels"] = append([]string{label(s.k.IntentID)}, w.Labels...)
	}
	if names := split(s.p.Component, ","); len(names) > 0 && w.typ.Has("components") {
		list := []jira.Fields{}
		for _, n := range names {
			list = append(list, jira.Fields{"name": n})
		}
		f["components"] = list
	}
	if who := text(s.p.DefaultAssignee); who != "" && w.typ.Has("assignee") {
		f["assignee"] = s.person(who)
	}
	if s.kind() == anEpic {
		if field := w.typ.EpicName(); field != "" {
			f[field] = w.Summary
		} else if id := fmt.Sprintf("customfield_%d", s.inst.EpicNameID); w.typ.Has(id) {
			f[id] = w.Summary
		}
	}
	s.addEpic(f, w)
	return f
}

// addEpic puts the issue under its epic: by the link of classic projects, else
// as its parent.
func (s *session) addEpic(f jira.Fields, w want) {
	if w.EpicID == "" {
		return
	}
	if link := w.typ.EpicLink(); link != "" {
		f[link] = s.subject.EpicKey
	} else if w.typ.Has("parent") {
		f["parent"] = jira.Fields{"id": w.EpicID}
	}
}

func (s *session) person(who string) jira.Fields {
	if config(s.inst, "").Cloud {
		return jira.Fields{"accountId": who}
	}
	return jira.Fields{"name": who}
}

// pushFields writes the content if it has changed here since it was last
// written. A single finding's priority stays what people made it.
func (s *session) pushFields(ctx context.Context, _ jira.Issue) error {
	if s.kind() == anOrphan {
		return nil
	}
	w, err := s.want(ctx)
	if err != nil {
		return err
	}
	digest := w.digest()
	if slices.Equal(digest, s.k.Pushed) {
		return nil
	}
	f := jira.Fields{"summary": w.Summary, "description": w.Description}
	if w.Environment != "" {
		f["environment"] = w.Environment
	}
	if w.Due != "" {
		f["duedate"] = w.Due
	}
	if w.Priority != "" && s.kind() == aGroup {
		f["priority"] = jira.Fields{"name": w.Priority}
	}
	s.addEpic(f, w)
	if err := s.c.Update(ctx, s.k.JIRAID, f); err != nil {
		return err
	}
	s.k.Pushed = digest
	return s.saveAfter(ctx)
}

// pushLabels adds the labels that are missing, and takes none away.
func (s *session) pushLabels(ctx context.Context, issue jira.Issue) error {
	if len(s.subject.Findings) == 0 {
		return nil
	}
	w, err := s.want(ctx)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(w.Labels, func(l string) bool { return slices.Contains(issue.Labels, l) })
	if len(missing) == 0 {
		return nil
	}
	return s.c.AddLabels(ctx, s.k.JIRAID, missing)
}

// labels are the project's, with the product's name if there are any, those of
// vulnerabilities if they are wanted, and the findings' tags.
func (s *session) labels() []string {
	var all []string
	if own := words(text(s.p.JIRALabels)); len(own) > 0 {
		all = append(all, own...)
		all = append(all, strings.ReplaceAll(s.subject.ProductName, " ", "_"))
	}
	for _, f := range s.subject.Findings {
		if s.p.AddVulnerabilityIDLabel {
			all = append(all, f.VulnerabilityIDs...)
		}
		all = append(all, f.Tags...)
	}
	var out []string
	for _, l := range all {
		l = clip(strings.Join(strings.Fields(l), "-"), jira.MaxLabel)
		if l != "" && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// worst is the highest severity among the findings that qualify.
func (s *session) worst() gate.Severity {
	if s.kind() == aFinding && len(s.subject.Findings) == 1 {
		return s.subject.Findings[0].Severity
	}
	worst := gate.Info
	for _, f := range s.subject.Findings {
		if Unfit(s.p, f) == "" {
			worst = max(worst, f.Severity)
		}
	}
	return worst
}

// dueDay is the first due day among the findings that are open.
func (s *session) dueDay() time.Time {
	var first time.Time
	for _, f := range s.subject.Findings {
		if due := f.SLAExpirationDate; due != nil && (first.IsZero() || due.Before(first)) && (f.Active || len(s.subject.Findings) == 1) {
			first = *due
		}
	}
	return first
}

// places are where the findings are.
func (s *session) places(ctx context.Context) ([]string, error) {
	ids := s.findingIDs()
	all, err := s.Store.Endpoints(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range all {
		if !slices.Contains(out, e.Value) {
			out = append(out, e.Value)
		}
	}
	return out, nil
}

func (s *session) findingIDs() []int64 {
	ids := make([]int64, len(s.subject.Findings))
	for i, f := range s.subject.Findings {
		ids[i] = f.ID
	}
	return ids
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// split cuts a list at commas.
func split(s, sep string) []string {
	var out []string
	for part := range strings.SplitSeq(s, sep) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// words cuts a list at commas and white space.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
}

// clip cuts a text to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

func fieldsOf(raw json.RawMessage) jira.Fields {
	var f jira.Fields
	if json.Unmarshal(raw, &f) != nil {
		return nil
	}
	return f
}
