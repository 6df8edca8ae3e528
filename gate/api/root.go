package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
)

func (a *api) rootRoutes() []route {
	return []route{
		{fiber.MethodGet, "", auth.Self, a.root},
		{fiber.MethodGet, "/limits", auth.Self, a.limits},
	}
}

// root serves GET /: the lists that there are, by name.
func (a *api) root(r *request) error {
	lists := map[string]string{}
	for _, rt := range a.routes() {
		name := strings.TrimPrefix(rt.path, "/")
		if name != "" && !strings.Contains(name, "/") {
			lists[name] = r.BaseURL() + Root + rt.path + "/"
		}
	}
	return r.reply(fiber.StatusOK, lists)
}

// limits serves GET /limits: what a client should know before it sends a report.
func (a *api) limits(r *request) error {
	return r.reply(fiber.StatusOK, map[string]any{"max_report": r.MaxReport, "extensions": extensions, "version": r.Version})
}
