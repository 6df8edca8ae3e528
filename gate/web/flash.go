package web

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
)

// flash is what an action tells on the page after it.
type flash struct {
	Text string
	Undo string // the request that can be undone
}

// flashCookie carries it there.
const flashCookie = "flash"

func (w *web) flash(v *visit, f flash) {
	b, err := json.Marshal(f)
	if err != nil {
		return // two texts
	}
	v.Cookie(&fiber.Cookie{
		Name: flashCookie, Value: base64.RawURLEncoding.EncodeToString(b), Path: "/", MaxAge: 60,
		HTTPOnly: true, Secure: w.Secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// takeFlash returns what there is to tell, and forgets it.
func (w *web) takeFlash(v *visit) flash {
	var f flash
	b, err := base64.RawURLEncoding.DecodeString(v.Cookies(flashCookie))
	if err != nil || json.Unmarshal(b, &f) != nil || f.Text == "" {
		return flash{}
	}
	v.Cookie(&fiber.Cookie{
		Name: flashCookie, Path: "/", Expires: time.Unix(0, 0), MaxAge: -1,
		HTTPOnly: true, Secure: w.Secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
	return f
}
