package gitlab

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Headers of a webhook's delivery: https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers
// and, for those that are signed, https://www.standardwebhooks.com.
const (
	TokenHeader     = "X-Gitlab-Token" //nolint:gosec // a name
	EventHeader     = "X-Gitlab-Event"
	EventIDHeader   = "X-Gitlab-Event-UUID"
	DeliveryHeader  = "Idempotency-Key" // the same when it is delivered again
	MessageIDHeader = "webhook-id"
	TimestampHeader = "webhook-timestamp"
	SignatureHeader = "webhook-signature"
)

// maxSkew is how far a signed delivery's time may be from ours.
const maxSkew = 5 * time.Minute

// Proves tells whether a delivery is proved by one of the secrets: by its
// signature if it carries one, else by the token that GitLab sends along. A
// wrong signature is not made good by a right token.
func Proves(header func(string) string, body []byte, secrets []string, now time.Time) bool {
	if signature := header(SignatureHeader); signature != "" {
		return signed(header(MessageIDHeader), header(TimestampHeader), signature, body, secrets, now)
	}
	token := sha256.Sum256([]byte(header(TokenHeader)))
	proved := 0
	for _, s := range secrets {
		if s == "" {
			continue
		}
		want := sha256.Sum256([]byte(s)) // so that lengths take the same time, too
		proved |= subtle.ConstantTimeCompare(token[:], want[:])
	}
	return proved == 1 && header(TokenHeader) != ""
}

// signed checks "v1,BASE64 v1,BASE64": HMAC-SHA256 over "id.time.body".
func signed(id, timestamp, signatures string, body []byte, secrets []string, now time.Time) bool {
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || strings.Contains(id, ".") || now.Sub(time.Unix(at, 0)).Abs() > maxSkew {
		return false
	}
	proved := false
	for _, s := range secrets {
		if s == "" {
			continue
		}
		m := hmac.New(sha256.New, signingKey(s))
		m.Write([]byte(id + "." + timestamp + "."))
		m.Write(body)
		want := []byte("v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)))
		for given := range strings.SplitSeq(signatures, " ") {
			if hmac.Equal([]byte(given), want) {
				proved = true
			}
		}
	}
	return proved
}

// signingKey returns the bytes of a signing token: "whsec_" and base64, else
// the text itself.
func signingKey(secret string) []byte {
	if text, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(text); err == nil {
			return key
		}
	}
	return []byte(secret)
}
