package inbound

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"mime"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// Mount adds the webhooks' addresses to r: ours, and DefectDojo's for JIRA.
func (h *Hooks) Mount(r fiber.Router) {
	r.Post(Path+":kind/:id", h.take)
	h.mountLegacy(r)
}

// take serves POST /hooks/{kind}/{id}. Nothing is read, parsed or written before
// the request is proved. An authentic delivery is always answered with success,
// whatever it says: some senders switch a webhook off that answers otherwise.
func (h *Hooks) take(c *fiber.Ctx) error {
	kind, ok := h.kind(c.Params("kind"))
	if !ok {
		return gate.Errorf(gate.NotFound, "there is no webhook of this kind")
	}
	// Nothing of the library's memory is used after the answer: the app copies
	// strings, and the body is kept by the database before.
	r := Request{Header: func(name string) string { return c.Get(name) }, Body: c.BodyRaw()}
	conn, err := h.prove(c.UserContext(), kind, c.Params("id"), r)
	if err != nil {
		return h.refuse(c, kind, err)
	}
	if !takes(kind, c.Get(fiber.HeaderContentType)) {
		return c.Status(fiber.StatusUnsupportedMediaType).JSON(fiber.Map{"status": "refused", "reason": "set the webhook's content type to " + kind.types()[0]})
	}
	if kind.Answer != nil {
		if a, ok := kind.Answer(r); ok {
			return send(c, a)
		}
	}
	status, reason, err := h.keep(c.UserContext(), kind, conn, r)
	if err != nil {
		return err
	}
	if kind.Taken.Status != 0 {
		return send(c, kind.Taken)
	}
	answer := fiber.Map{"status": status}
	if reason != "" {
		answer["reason"] = reason
	}
	return c.Status(fiber.StatusAccepted).JSON(answer)
}

func send(c *fiber.Ctx, a Answer) error {
	c.Set(fiber.HeaderContentType, a.ContentType)
	return c.Status(a.Status).Send(a.Body)
}

// prove returns the connection that the address names, if its secret proves the
// request. That there is no such connection is told as a wrong signature.
func (h *Hooks) prove(ctx context.Context, kind Kind, publicID string, r Request) (store.Connection, error) {
	conn, err := h.Store.ConnectionByPublicID(ctx, kind.Name, publicID)
	if err != nil && gate.KindOf(err) != gate.NotFound {
		return conn, err
	}
	secrets, err := h.secrets(conn)
	if err != nil {
		return conn, err
	}
	if err := kind.Verify(r, secrets, h.Now()); err != nil || conn.ID == 0 || len(secrets) == 0 {
		return conn, ErrForged
	}
	return conn, nil
}

// refuse answers a request that is not proved, or that could not be looked at.
// Only refusals are limited by address: deliveries of all customers of a code
// host come from the same few.
func (h *Hooks) refuse(c *fiber.Ctx, kind Kind, err error) error {
	if err != ErrForged { //nolint:errorlint // it is returned as it is
		return err
	}
	if !h.refusals.allow(c.IP(), h.Now()) {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(refusalWindow.Seconds())))
		return c.Status(fiber.StatusTooManyRequests).JSON(fiber.Map{"status": "refused", "reason": "too many requests with a wrong signature"})
	}
	slog.WarnContext(c.UserContext(), "webhook refused", "kind", kind.Name, "connection", printable(c.Params("id")), "ip", c.IP())
	return c.Status(fiber.StatusUnauthorized).JSON(fiber.Map{"status": "refused", "reason": ErrForged.Error()})
}

// types are the content types that a kind sends.
func (k Kind) types() []string {
	if len(k.Types) == 0 {
		return []string{fiber.MIMEApplicationJSON}
	}
	return k.Types
}

func takes(k Kind, contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.Contains(k.types(), media)
}

// keep stores a proved delivery, with its job if there is something to do, and
// returns what became of it: queued, duplicate or ignored.
func (h *Hooks) keep(ctx context.Context, kind Kind, conn store.Connection, r Request) (status, reason string, err error) {
	m := kind.Read(r)
	now := h.Now()
	d := store.Delivery{ConnectionID: conn.ID, DeliveryID: deliveryID(m, r), Event: clip(printable(m.Event), 100), Body: kind.kept(r), Received: now, State: store.DeliveryQueued}
	if !conn.Enabled {
		m.Ignored = "the connection is switched off"
	}
	if m.Ignored != "" {
		d.State, d.Outcome, d.Body, d.Finished = store.DeliveryIgnored, m.Ignored, nil, &now
	}
	err = h.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		id, err := s.AddDelivery(ctx, d)
		if err != nil {
			return err
		}
		if status = d.State; id == 0 {
			status = "duplicate"
		}
		if status != store.DeliveryQueued {
			return nil
		}
		return h.Enqueue(ctx, tx, kind.Name, id)
	})
	return status, m.Ignored, err
}

// kept is what is kept of a request.
func (k Kind) kept(r Request) []byte {
	if k.Keep == nil {
		return r.Body
	}
	return k.Keep(r)
}

// deliveryID names a delivery: as its sender does, or by what it says.
func deliveryID(m Message, r Request) string {
	if m.ID != "" && len(m.ID) <= 200 && m.ID == printable(m.ID) {
		return m.ID
	}
	sum := sha256.Sum256(append([]byte(m.Event+"\x00"), r.Body...))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// printable leaves what is harmless in a log and in the database.
func printable(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] > ' ' && s[i] < 0x7f {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
