package jira

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	jira "github.com/andygrunwald/go-jira"
)

// Fields are those of an issue, by their ids.
type Fields = map[string]any

// Key names an issue: the key changes when it is moved, the id never does.
type Key struct {
	ID  string
	Key string
}

// Issue is an issue as far as we look at it.
type Issue struct {
	Key

	Summary     string
	Description string
	Environment string
	Status      string
	Done        bool // by the status's category: resolutions mean something else in every JIRA
	Resolution  string
	Priority    string
	Assignee    User
	Due         time.Time
	Labels      []string
	Components  []string
	Created     time.Time
	Updated     time.Time
	Comments    []Comment
	Attachments []Attachment
}

// Comment is a comment on an issue.
type Comment struct {
	ID      string
	Author  User
	Body    string
	Created time.Time
}

// Attachment is a file of an issue.
type Attachment struct {
	ID       string
	Filename string
	Size     int
}

// issueFields are those that Issue holds.
const issueFields = "summary,description,environment,status,resolution,priority,assignee,duedate,labels,components,created,updated,comment,attachment"

// Issue returns one by its id or key. Unlike a search it is never behind.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-issueidorkey-get
func (c *Client) Issue(ctx context.Context, id string) (Issue, error) {
	i, resp, err := c.api.Issue.GetWithContext(ctx, escape(id), &jira.GetQueryOptions{Fields: issueFields})
	if err = c.check("get issue", http.MethodGet, resp, err); err != nil {
		return Issue{}, err
	}
	return issueOf(*i), nil
}

func issueOf(i jira.Issue) Issue {
	out := Issue{Key: Key{i.ID, i.Key}}
	f := i.Fields
	if f == nil {
		return out
	}
	out.Summary, out.Description, out.Labels = f.Summary, f.Description, f.Labels
	out.Environment = f.Environment
	out.Created, out.Updated, out.Due = time.Time(f.Created), time.Time(f.Updated), time.Time(f.Duedate)
	if f.Status != nil {
		out.Status, out.Done = f.Status.Name, f.Status.StatusCategory.Key == jira.StatusCategoryComplete
	}
	if f.Resolution != nil {
		out.Resolution = f.Resolution.Name
	}
	if f.Priority != nil {
		out.Priority = f.Priority.Name
	}
	if f.Assignee != nil {
		out.Assignee = userOf(*f.Assignee)
	}
	for _, component := range f.Components {
		out.Components = append(out.Components, component.Name)
	}
	if f.Comments != nil {
		for _, comment := range f.Comments.Comments {
			out.Comments = append(out.Comments, commentOf(*comment))
		}
	}
	for _, a := range f.Attachments {
		out.Attachments = append(out.Attachments, Attachment{a.ID, a.Filename, a.Size})
	}
	return out
}

func userOf(u jira.User) User { return User{u.AccountID, u.Name, u.DisplayName, u.EmailAddress} }

func commentOf(c jira.Comment) Comment {
	created, _ := time.Parse("2006-01-02T15:04:05.000-0700", c.Created)
	return Comment{c.ID, userOf(c.Author), c.Body, created}
}

// Create makes an issue. It may have been made although this fails: see
// integrations.Error.Unknown.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-post
func (c *Client) Create(ctx context.Context, f Fields) (Key, error) {
	i, resp, err := c.api.Issue.CreateWithContext(ctx, &jira.Issue{Fields: &jira.IssueFields{Unknowns: f}})
	if err = c.check("create issue", http.MethodPost, resp, err); err != nil {
		return Key{}, err
	}
	return Key{i.ID, i.Key}, nil
}

// Update changes fields of an issue.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-issueidorkey-put
func (c *Client) Update(ctx context.Context, id string, f Fields) error {
	resp, err := c.api.Issue.UpdateIssueWithContext(ctx, escape(id), Fields{"fields": f})
	return c.check("edit issue", http.MethodPut, resp, err)
}

// AddLabels adds labels to an issue, whatever others it has or gets meanwhile.
func (c *Client) AddLabels(ctx context.Context, id string, labels []string) error {
	ops := []any{}
	for _, l := range labels {
		ops = append(ops, map[string]string{"add": l})
	}
	resp, err := c.api.Issue.UpdateIssueWithContext(ctx, escape(id), Fields{"update": Fields{"labels": ops}})
	return c.check("add labels", http.MethodPut, resp, err)
}

// Assign gives an issue to somebody: an account id at Cloud, a name elsewhere.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-issueidorkey-assignee-put
func (c *Client) Assign(ctx context.Context, id, who string) error {
	return c.call(ctx, "assign issue", http.MethodPut, "rest/api/2/issue/"+escape(id)+"/assignee", c.person(who), nil)
}

func (c *Client) person(who string) Fields {
	if c.cloud {
		return Fields{"accountId": who}
	}
	return Fields{"name": who}
}

// Search returns the issues that a query finds, at most limit. It can be
// minutes behind: what it does not find may be there.
// https://developer.atlassian.com/cloud/jira/platform/search-and-reconcile/
func (c *Client) Search(ctx context.Context, jql string, limit int) ([]Issue, error) {
	var found []jira.Issue
	var resp *jira.Response
	var err error
	fields := []string{"summary", "status", "resolution", "labels", "created", "updated"}
	if c.cloud {
		found, resp, err = c.api.Issue.SearchV2JQLWithContext(ctx, jql, &jira.SearchOptionsV2{MaxResults: limit, Fields: fields})
	} else {
		found, resp, err = c.api.Issue.SearchWithContext(ctx, jql, &jira.SearchOptions{MaxResults: limit, Fields: fields})
	}
	if err = c.check("search", http.MethodGet, resp, err); err != nil {
		return nil, err
	}
	var out []Issue
	for _, i := range found {
		out = append(out, issueOf(i))
	}
	return out, nil
}

// WithLabels is the query for issues that have one of some labels.
func WithLabels(labels ...string) string {
	quoted := make([]string, len(labels))
	for i, l := range labels {
		quoted[i] = quote(l)
	}
	return "labels in (" + strings.Join(quoted, ", ") + ") order by created asc"
}

// WithKeys is the query for issues by their ids.
func WithKeys(ids ...string) string { return "id in (" + strings.Join(ids, ", ") + ")" }

// quote makes a text of a query.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Transition is a way that an issue can go from where it stands.
type Transition struct {
	ID       string
	Name     string
	Done     bool     // it leads to a status that is done
	Required []string // the fields that it wants
}

// Transitions returns those that an issue has now.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-issueidorkey-transitions-get
func (c *Client) Transitions(ctx context.Context, id string) ([]Transition, error) {
	all, resp, err := c.api.Issue.GetTransitionsWithContext(ctx, escape(id))
	if err = c.check("list transitions", http.MethodGet, resp, err); err != nil {
		return nil, err
	}
	var out []Transition
	for _, t := range all {
		one := Transition{ID: t.ID, Name: t.Name, Done: t.To.StatusCategory.Key == jira.StatusCategoryComplete}
		for name, f := range t.Fields {
			if f.Required {
				one.Required = append(one.Required, name)
			}
		}
		slices.Sort(one.Required)
		out = append(out, one)
	}
	return out, nil
}

// Transit takes an issue along a transition.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-issueidorkey-transitions-post
func (c *Client) Transit(ctx context.Context, id, transition string, f Fields) error {
	body := Fields{"transition": Fields{"id": transition}}
	if len(f) > 0 {
		body["fields"] = f
	}
	resp, err := c.api.Issue.DoTransitionWithPayloadWithContext(ctx, escape(id), body)
	return c.check("transition issue", http.MethodPost, resp, err)
}

// Comment adds a comment and returns its id.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-comments/
func (c *Client) Comment(ctx context.Context, id, body string) (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	err := c.call(ctx, "comment", http.MethodPost, "rest/api/2/issue/"+escape(id)+"/comment", Fields{"body": body}, &made)
	return made.ID, err
}

// Comments returns the comments on an issue, the oldest first. Like Issue it is never behind.
func (c *Client) Comments(ctx context.Context, id string) ([]Comment, error) {
	var out []Comment
	for {
		var page struct {
			Comments []jira.Comment `json:"comments"`
			Total    int            `json:"total"`
		}
		path := "rest/api/2/issue/" + escape(id) + "/comment?" + url.Values{"startAt": {itoa(len(out))}, "maxResults": {"100"}, "orderBy": {"created"}}.Encode()
		if err := c.call(ctx, "list comments", http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, one := range page.Comments {
			out = append(out, commentOf(one))
		}
		if len(page.Comments) == 0 || len(out) >= page.Total {
			return out, nil
		}
	}
}

// Attach adds a file to an issue.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-attachments/
func (c *Client) Attach(ctx context.Context, id, filename string, content io.Reader) error {
	_, resp, err := c.api.Issue.PostAttachmentWithContext(ctx, escape(id), content, filename)
	return c.check("attach", http.MethodPost, resp, err)
}
