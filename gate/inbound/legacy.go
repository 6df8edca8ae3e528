package inbound

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations/jira"
)

// LegacyWebhookSecret is the name of the secret that DefectDojo had in the
// address of JIRA's webhook. Who moves from there leaves JIRA as it is and gives
// that secret to the instance; without one nothing is taken at those addresses.
const LegacyWebhookSecret = "webhook_secret_in_address"

// legacyPaths are the addresses that DefectDojo gives to JIRA's webhooks.
var legacyPaths = []string{"/jira/webhook", "/webhook"}

// IsHook tells whether a path is a webhook's.
func IsHook(path string) bool { return strings.HasPrefix(path, Path) || isLegacy(path) }

func isLegacy(path string) bool {
	for _, p := range legacyPaths {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}

// ShownPath is a path as it may be written down: without the secret that
// DefectDojo's addresses hold.
func ShownPath(path string) string {
	for _, p := range legacyPaths {
		if rest, ok := strings.CutPrefix(path, p+"/"); ok && rest != "" {
			return p + "/…"
		}
	}
	return path
}

func (h *Hooks) mountLegacy(r fiber.Router) {
	for _, path := range legacyPaths {
		r.Post(path, h.takeLegacy)
		r.Post(path+"/:secret", h.takeLegacy)
		r.All(path, postAlone)
		r.All(path+"/:secret", postAlone)
	}
}

func postAlone(c *fiber.Ctx) error {
	c.Set(fiber.HeaderAllow, fiber.MethodPost)
	return c.SendStatus(fiber.StatusMethodNotAllowed)
}

// takeLegacy serves POST /jira/webhook/{secret} and its likes. As DefectDojo
// does, it answers 200 and a line of text to whatever it understands; a sender
// that is refused again and again is asked to stop, and one that cannot be
// answered now to try again.
func (h *Hooks) takeLegacy(c *fiber.Ctx) error {
	kind, ok := h.kind("jira")
	if !ok {
		return gate.Errorf(gate.NotFound, "there is no webhook of this kind")
	}
	r := Request{Header: func(name string) string { return c.Get(name) }, Body: c.BodyRaw()}
	conns, err := h.legacy(c.UserContext(), kind, c.Params("secret"), r)
	if err != nil {
		return err
	}
	switch {
	case len(conns) == 0 && !h.refusals.allow(c.IP(), h.Now()):
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(refusalWindow.Seconds())))
		return c.Status(fiber.StatusTooManyRequests).SendString("Too many requests with a wrong secret")
	case len(conns) == 0:
		slog.WarnContext(c.UserContext(), "webhook refused", "kind", kind.Name, "address", "DefectDojo's", "ip", c.IP())
		return c.SendString("Invalid or no secret provided to JIRA Webhook")
	case !takes(kind, c.Get(fiber.HeaderContentType)):
		return c.SendString("only application/json supported")
	}
	said := "Success!"
	for _, conn := range conns {
		status, reason, err := h.keep(c.UserContext(), kind, conn, r)
		if err != nil {
			return err
		}
		if status == store.DeliveryIgnored {
			said = "Ignoring: " + reason
		}
	}
	return c.SendString(said)
}

// legacy returns the connections of the instances that a request is from: those
// whose secret is in its address or signs it, and of several the one that the
// issue says it is of. DefectDojo had one secret for all of them.
func (h *Hooks) legacy(ctx context.Context, kind Kind, secret string, r Request) ([]store.Connection, error) {
	all, err := h.Store.Connections(ctx, kind.Name)
	if err != nil {
		return nil, err
	}
	var proved []store.Connection
	for _, conn := range all {
		secrets, err := h.secrets(conn)
		if err != nil {
			return nil, err
		}
		if same(secret, secrets[LegacyWebhookSecret]) || kind.Verify(r, secrets, h.Now()) == nil {
			proved = append(proved, conn)
		}
	}
	if len(proved) < 2 {
		return proved, nil
	}
	e, err := jira.ParseEvent(r.Body)
	if err != nil || e.Self == "" {
		return proved, nil //nolint:nilerr // each looks for itself whether it knows the issue
	}
	for _, conn := range proved {
		inst, err := h.Store.JIRAInstanceOf(ctx, conn.ID)
		if err != nil && gate.KindOf(err) != gate.NotFound {
			return nil, err
		}
		if err == nil && strings.HasPrefix(e.Self, strings.TrimSuffix(inst.URL, "/")+"/") {
			return []store.Connection{conn}, nil
		}
	}
	return proved, nil
}

// same compares two secrets in a time that tells nothing of them. A blank one is
// like no other.
func same(given, kept string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(kept))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && kept != ""
}
