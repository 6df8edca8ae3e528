package client

import "context"

// Exchanged is what a CI job gets for its identity token.
type Exchanged struct {
	Token    string `json:"token"`
	Branch   string `json:"branch"` // the one that its reports have to be of
	Products []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"products"`
}

// Exchange gives an identity token of the CI for one of ours, which lives for
// some minutes, and uses that from now on.
func (c *Client) Exchange(ctx context.Context, token string) (Exchanged, error) {
	var out Exchanged
	if err := c.post(ctx, "/oidc/token", map[string]string{"token": token}, &out); err != nil {
		return out, err
	}
	c.Token = out.Token
	return out, nil
}
