package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Bundle fetches what is needed to judge builds of a branch without the server:
// a signed envelope, to be opened by policies/bundle.
func (c *Client) Bundle(ctx context.Context, product, branch, component string) ([]byte, error) {
	q := url.Values{"product_name": {product}, "branch": {branch}}
	if component != "" {
		q.Set("component", component)
	}
	var envelope json.RawMessage
	err := c.do(ctx, call{method: http.MethodGet, path: "/bundle/?" + q.Encode()}, &envelope)
	return envelope, err
}

// Keys fetches the public keys with which the server signs, in PEM, one after
// the other.
func (c *Client) Keys(ctx context.Context) ([]byte, error) {
	var out struct {
		PEM string `json:"pem"`
	}
	err := c.do(ctx, call{method: http.MethodGet, path: "/keys/"}, &out)
	return []byte(out.PEM), err
}
