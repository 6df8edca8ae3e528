package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// staticFiles are ours, and htmx.js: dist/htmx.min.js of npm's htmx.org 2.0.11 (0BSD).
//
//go:embed static
var staticFiles embed.FS

// assetPath is where assets are. Each name in it carries the hash of the content,
// so a browser may keep it for ever and never has an old one.
const assetPath = "/static/"

type assetFile struct {
	contentType string
	plain, gzip []byte
}

// assets are by hashed name, assetNames maps a file's name to that.
var assets, assetNames = loadAssets()

func loadAssets() (map[string]assetFile, map[string]string) {
	files, names := map[string]assetFile{}, map[string]string{}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, e := range entries {
		b, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		ext := path.Ext(e.Name())
		sum := sha256.Sum256(b)
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		files[hashed] = assetFile{contentTypes[ext], b, compress(b)}
		names[e.Name()] = hashed
	}
	return files, names
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func compress(b []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // the level is a valid one
	_, _ = w.Write(b)                                       // a buffer takes all
	_ = w.Close()
	return buf.Bytes()
}

// assetURL returns the address of an asset.
func assetURL(name string) string { return assetPath + assetNames[name] }

// asset serves GET /static/NAME.
func asset(c *fiber.Ctx) error {
	a, ok := assets[c.Params("name")]
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, a.contentType)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(a.gzip)
	}
	return c.Send(a.plain)
}

// favicon serves what browsers ask for by themselves.
func favicon(c *fiber.Ctx) error { return c.Redirect(assetURL("icon.svg"), fiber.StatusFound) }
