package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
)

func (a *api) rootRoutes() []route {
	return []route{{fiber.MethodGet, "", auth.Self, a.root}}
}

// root serves GET /: the lists that there are, by name.
func (a *api) root(r *request) error {
	lists := map[string]string{}
	for _, rt := range a.routes() {
		name := strings.TrimPrefix(rt.path, "/")
		if rt.method == fiber.MethodGet && name != "" && !strings.Contains(name, "/") {
			lists[name] = r.BaseURL() + Root + rt.path + "/"
		}
	}
	return r.reply(fiber.StatusOK, lists)
}
