package jira

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
)

// Headers of a delivery.
// https://developer.atlassian.com/cloud/jira/platform/webhooks/
const (
	SignatureHeader  = "X-Hub-Signature"
	IdentifierHeader = "X-Atlassian-Webhook-Identifier" // the same when it is sent again
)

// Verify tells whether one of some secrets made the signature of a body. A
// blank secret signs nothing.
func Verify(header string, body []byte, secrets ...string) bool {
	given, ok := strings.CutPrefix(header, "sha256=")
	sum, err := hex.DecodeString(given)
	if !ok || err != nil {
		return false
	}
	good := false
	for _, s := range secrets {
		if s == "" {
			continue
		}
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write(body)
		good = hmac.Equal(mac.Sum(nil), sum) || good
	}
	return good
}

// Sign returns the signature of a body as JIRA makes it.
func Sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Event is what a delivery is about. It is a hint: what is so is asked of JIRA.
type Event struct {
	Name    string // jira:issue_updated, comment_created, …
	IssueID string
	Self    string // the address of the issue, or of the comment, in JIRA's API; blank if it does not say
	Actor   string // account id or name of who did it; blank if it does not say
}

// inComment finds the issue of a comment, which Data Center does not tell otherwise.
var inComment = regexp.MustCompile(`/issue/(\d+)/comment/`)

// ParseEvent reads a delivery.
func ParseEvent(body []byte) (Event, error) {
	var d struct {
		Event string `json:"webhookEvent"`
		User  User   `json:"user"`
		Issue struct {
			ID   id     `json:"id"`
			Self string `json:"self"`
		} `json:"issue"`
		Comment struct {
			Self   string `json:"self"`
			Author User   `json:"updateAuthor"`
		} `json:"comment"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return Event{}, err
	}
	e := Event{Name: d.Event, IssueID: string(d.Issue.ID), Self: d.Issue.Self, Actor: d.User.ID()}
	if e.Self == "" {
		e.Self = d.Comment.Self
	}
	if e.IssueID == "" {
		if m := inComment.FindStringSubmatch(d.Comment.Self); m != nil {
			e.IssueID = m[1]
		}
	}
	if e.Actor == "" {
		e.Actor = d.Comment.Author.ID()
	}
	return e, nil
}

// id is a number that some versions write as a text.
type id string

// UnmarshalJSON reads either.
func (i *id) UnmarshalJSON(b []byte) error {
	*i = id(bytes.Trim(b, `"`))
	if *i == "null" {
		*i = ""
	}
	return nil
}
