package web

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
)

// flashCookie carries one sentence from an action to the page after it.
const flashCookie = "flash"

// flash says a sentence on the next page.
func (w *web) flash(v *visit, text string) {
	v.Cookie(&fiber.Cookie{
		Name: flashCookie, Value: url.QueryEscape(text), Path: "/", MaxAge: 60,
		HTTPOnly: true, Secure: w.Secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// takeFlash returns the sentence and forgets it.
func (w *web) takeFlash(v *visit) string {
	text, err := url.QueryUnescape(v.Cookies(flashCookie))
	if err != nil || text == "" {
		return ""
	}
	v.Cookie(&fiber.Cookie{
		Name: flashCookie, Path: "/", Expires: time.Unix(0, 0), MaxAge: -1,
		HTTPOnly: true, Secure: w.Secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
	return text
}
