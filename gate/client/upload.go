package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path/filepath"
	"strings"

	"defectdojo/gate"
)

// Upload is a report with the parameters of reimport-scan.
type Upload struct {
	Name           string // the file's
	Size           int64
	Open           func() (io.ReadCloser, error)
	Fields         map[string]string
	IdempotencyKey string
}

// Imported is what reimport-scan answers, as far as the uploader needs it.
type Imported struct {
	TestID       int64      `json:"test_id"`
	EngagementID int64      `json:"engagement_id"`
	ProductID    int64      `json:"product_id"`
	Statistics   statistics `json:"statistics"`
	Notes        []string   `json:"notes"`
}

type statistics struct {
	Delta *struct {
		Created     total `json:"created"`
		Closed      total `json:"closed"`
		Reactivated total `json:"reactivated"`
		Untouched   total `json:"untouched"`
	} `json:"delta"`
	After total `json:"after"`
}

type total struct {
	Total struct {
		Active int `json:"active"`
		Total  int `json:"total"`
	} `json:"total"`
}

// Reimport uploads a report.
func (c *Client) Reimport(ctx context.Context, u Upload) (Imported, error) {
	if err := c.fits(ctx, u.Size); err != nil {
		return Imported{}, err
	}
	head, tail, content, err := form(u)
	if err != nil {
		return Imported{}, err
	}
	header := http.Header{}
	if u.IdempotencyKey != "" {
		header.Set("Idempotency-Key", u.IdempotencyKey)
	}
	var out Imported
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/reimport-scan/", header: header, content: content, length: int64(len(head)) + u.Size + int64(len(tail)),
		body: func() (io.ReadCloser, error) {
			f, err := u.Open()
			if err != nil {
				return nil, err
			}
			return struct {
				io.Reader
				io.Closer
			}{io.MultiReader(bytes.NewReader(head), io.LimitReader(f, u.Size), bytes.NewReader(tail)), f}, nil
		},
	}, &out)
	return out, err
}

// surelyFits is a size of reports that every server takes.
const surelyFits = 1 << 20

// fits returns the answer that a server gives to a report that is too large,
// before it is sent: a server that refuses one in the middle of it cannot
// always make itself heard.
func (c *Client) fits(ctx context.Context, size int64) error {
	if size <= surelyFits {
		return nil
	}
	var limits struct {
		MaxReport int64 `json:"max_report"`
	}
	err := c.do(ctx, call{method: http.MethodGet, path: "/limits/"}, &limits)
	if _, ok := errors.AsType[*RejectedError](err); ok { // it does not tell
		return nil
	}
	if err == nil && size > limits.MaxReport && limits.MaxReport > 0 {
		err = &RejectedError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the report has %d bytes, and the server takes at most %d", size, limits.MaxReport)}
	}
	return err
}

// form returns what stands before and after the file in a multipart body, whose
// length is thus known: a server can refuse it before it is sent.
func form(u Upload) (head, tail []byte, content string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range u.Fields {
		if err := w.WriteField(name, value); err != nil {
			return nil, nil, "", err
		}
	}
	h := textproto.MIMEHeader{}
	name := strings.NewReplacer(`\`, "_", `"`, "_", "\n", "_", "\r", "_").Replace(filepath.Base(u.Name))
	h.Set("Content-Disposition", `form-data; name="file"; filename="`+name+`"`)
	h.Set("Content-Type", "application/octet-stream")
	if _, err := w.CreatePart(h); err != nil {
		return nil, nil, "", err
	}
	at := b.Len()
	if err := w.Close(); err != nil {
		return nil, nil, "", err
	}
	all := b.Bytes()
	return all[:at], all[at:], w.FormDataContentType(), nil
}

// Judge is what a verdict is asked for.
type Judge struct {
	Engagement   int64          `json:"engagement"`
	Event        string         `json:"event,omitempty"`
	Branch       string         `json:"branch,omitempty"`
	TargetBranch string         `json:"target_branch,omitempty"`
	PullRequest  int            `json:"pull_request,omitempty"`
	Commit       string         `json:"commit,omitempty"`
	BaseCommit   string         `json:"base_commit,omitempty"`
	MergeBase    string         `json:"merge_base,omitempty"`
	Repository   string         `json:"repository,omitempty"`
	Component    string         `json:"component,omitempty"`
	Environment  string         `json:"environment,omitempty"`
	BuildID      string         `json:"build_id,omitempty"`
	Fork         bool           `json:"fork,omitempty"`
	Actor        string         `json:"actor,omitempty"`
	Policies     []PolicySource `json:"policies,omitempty"`

	Ancestors    []string          `json:"ancestors,omitempty"`    // commits before the merge base, or before the head of a push, the nearest first
	ChangedFiles []string          `json:"changed_files,omitzero"` // nil: not known
	RenamedFiles map[string]string `json:"renamed_files,omitempty"`
}

// PolicySource is a policy of the repository.
type PolicySource struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Judged is a verdict with where people can see it.
type Judged struct {
	VerdictID int64        `json:"verdict_id"`
	URL       string       `json:"url"`
	Verdict   gate.Verdict `json:"verdict"`
}

// Judge asks for the verdict over an engagement's newest reports.
func (c *Client) Judge(ctx context.Context, j Judge) (Judged, error) {
	var out Judged
	err := c.post(ctx, "/verdicts/", j, &out)
	return out, err
}
