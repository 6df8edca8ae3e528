package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Headers of a webhook's delivery:
// https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers
const (
	SignatureHeader = "X-Hub-Signature-256"
	DeliveryHeader  = "X-GitHub-Delivery" // the same when it is delivered again
	EventHeader     = "X-GitHub-Event"
)

// Proves tells whether a signature header is of one of the secrets over a body:
// https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.
// It takes the same time wherever a signature is wrong.
func Proves(header string, body []byte, secrets []string) bool {
	proved := false
	for _, s := range secrets {
		if s == "" {
			continue
		}
		m := hmac.New(sha256.New, []byte(s))
		m.Write(body)
		if hmac.Equal([]byte(header), []byte("sha256="+hex.EncodeToString(m.Sum(nil)))) {
			proved = true
		}
	}
	return proved
}
