package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"
)

// contentPolicy lets a page load what we serve, and nothing else: no inline script, no
// inline style, no frame, no foreign image.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers sets what every page is sent with.
func headers(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderVary, "HX-Request, Cookie")
}

// crossSite tells whether a browser sent a form from a page of another site.
// Browsers tell in Sec-Fetch-Site; old ones that do not, in Origin.
func crossSite(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return false // no browser: what it cannot have is the session's token
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != string(c.Request().Host())
}
