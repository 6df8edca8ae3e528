package api

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
)

// stamp is an instant as the API writes it: UTC, with microseconds if there are any.
type stamp time.Time

// MarshalText writes "2026-11-22T07:00:00.123456Z".
func (s stamp) MarshalText() ([]byte, error) {
	t := time.Time(s).UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return []byte(t.Format("2006-01-02T15:04:05Z")), nil
	}
	return []byte(t.Format("2006-01-02T15:04:05.000000Z")), nil
}

// day is a calendar day as the API writes it.
type day time.Time

// MarshalText writes "2026-11-22".
func (d day) MarshalText() ([]byte, error) { return []byte(time.Time(d).Format(time.DateOnly)), nil }

// maybe turns a pointer to a time into one to a stamp or a day.
func maybe[T stamp | day](t *time.Time) *T {
	if t == nil {
		return nil
	}
	v := T(*t)
	return &v
}

// orNil returns nil for a blank text.
func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// send answers with a body in JSON. Nil slices are [], nil pointers null.
func send(c *fiber.Ctx, status int, body any) error {
	b, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return err
	}
	c.Status(status).Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(b)
}

// reply answers with a body in JSON.
func (r *request) reply(status int, body any) error { return send(r.Ctx, status, body) }

// nothing answers 204.
func (r *request) nothing() error { return r.SendStatus(fiber.StatusNoContent) }

func parseID(s string) (int64, bool) {
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil && id > 0
}
