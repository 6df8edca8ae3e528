package client

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"defectdojo/gate"
)

// WaiverRequest is a waiver that somebody asks for.
type WaiverRequest struct {
	ProductName   string             `json:"product_name,omitempty"`
	Finding       int64              `json:"finding,omitempty"`
	Match         gate.WaiverMatch   `json:"match"`
	Reason        string             `json:"reason"`
	Justification gate.Justification `json:"justification,omitempty"`
	Ticket        string             `json:"ticket,omitempty"`
	Days          int                `json:"days,omitempty"` // that it is for
	Expires       string             `json:"expires,omitempty"`
	MaxMatches    int                `json:"max_matches,omitempty"`
	VoidIf        string             `json:"void_if,omitempty"`
	Evidence      []string           `json:"evidence,omitempty"`
}

// Waiver is one as the server has it.
type Waiver struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	State   string `json:"state"`
	Needed  int    `json:"needed"` // approvals
	Expires string `json:"expires"`
	URL     string `json:"url"`
}

// RequestWaiver asks for a waiver, which somebody else has to approve.
func (c *Client) RequestWaiver(ctx context.Context, w WaiverRequest) (Waiver, error) {
	var out Waiver
	err := c.post(ctx, "/waivers/", w, &out)
	return out, err
}

// Statement fetches the signed in-toto statement of a verdict.
func (c *Client) Statement(ctx context.Context, verdict int64) ([]byte, error) {
	var envelope json.RawMessage
	err := c.do(ctx, call{method: http.MethodGet, path: "/verdicts/" + strconv.FormatInt(verdict, 10) + "/report/?format=intoto"}, &envelope)
	return envelope, err
}
