package jira

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"defectdojo/integrations"
)

// Field is a field of a project's new issues.
type Field struct {
	ID         string `json:"fieldId"`
	Key        string `json:"key"`
	Name       string `json:"name"`
	Required   bool   `json:"required"`
	HasDefault bool   `json:"hasDefaultValue"`
	Schema     struct {
		Type   string `json:"type"`
		Custom string `json:"custom"`
	} `json:"schema"`
	Allowed []struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"allowedValues"`
}

// Type is an issue type of a project and the fields that its new issues have.
type Type struct {
	ID     string
	Name   string
	Fields []Field
}

// Kinds of custom fields that JIRA Software brings.
const (
	epicLink = "com.pyxis.greenhopper.jira:gh-epic-link"
	epicName = "com.pyxis.greenhopper.jira:gh-epic-label"
)

// Has tells whether new issues have a field.
func (t Type) Has(id string) bool {
	return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.id() == id })
}

// EpicLink is the field that holds an issue's epic, or blank.
func (t Type) EpicLink() string { return t.custom(epicLink) }

// EpicName is the field that holds an epic's short name, or blank.
func (t Type) EpicName() string { return t.custom(epicName) }

func (t Type) custom(kind string) string {
	for _, f := range t.Fields {
		if f.Schema.Custom == kind {
			return f.id()
		}
	}
	return ""
}

// Missing returns the fields that a new issue must have and that are not among
// some: by name, for people.
func (t Type) Missing(given Fields) []string {
	var out []string
	for _, f := range t.Fields {
		if _, there := given[f.id()]; f.Required && !f.HasDefault && !there && f.id() != "reporter" {
			out = append(out, fmt.Sprintf("%s (%s)", f.Name, f.id()))
		}
	}
	slices.Sort(out)
	return out
}

func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Key
}

// Type returns an issue type of a project with its fields.
// Data Center has this from 8.4 on.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-createmeta-projectidorkey-issuetypes-get
func (c *Client) Type(ctx context.Context, project, name string) (Type, error) {
	var types struct {
		IssueTypes []named `json:"issueTypes"` // Cloud
		Values     []named `json:"values"`     // Data Center
	}
	path := "rest/api/2/issue/createmeta/" + escape(project) + "/issuetypes"
	if err := c.call(ctx, "list issue types", http.MethodGet, path+"?maxResults=100", nil, &types); err != nil {
		return Type{}, err
	}
	all := slices.Concat(types.IssueTypes, types.Values)
	at := slices.IndexFunc(all, func(t named) bool { return strings.EqualFold(t.Name, name) })
	if at < 0 {
		var names []string
		for _, t := range all {
			names = append(names, t.Name)
		}
		return Type{}, &integrations.Error{System: "jira", Op: "list issue types", Permanent: true, Err: fmt.Errorf("project %s has no issue type %q; it has %s", project, name, strings.Join(names, ", "))}
	}
	t := Type{ID: all[at].ID, Name: all[at].Name}
	for {
		var page struct {
			Fields []Field `json:"fields"`
			Values []Field `json:"values"`
			Total  int     `json:"total"`
		}
		at := path + "/" + escape(t.ID) + "?startAt=" + itoa(len(t.Fields)) + "&maxResults=100"
		if err := c.call(ctx, "list fields", http.MethodGet, at, nil, &page); err != nil {
			return Type{}, err
		}
		more := slices.Concat(page.Fields, page.Values)
		t.Fields = append(t.Fields, more...)
		if len(more) == 0 || len(t.Fields) >= page.Total {
			return t, nil
		}
	}
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// escape makes one part of a path.
func escape(s string) string { return url.PathEscape(s) }

func itoa(n int) string { return strconv.Itoa(n) }

func sorted(s []string) []string { slices.Sort(s); return s }
