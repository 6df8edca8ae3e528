package server

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
)

// health serves GET /healthz: the process answers.
func (s *Server) health(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok"}) }

// ready serves GET /readyz: requests can be sent here.
func (s *Server) ready(c *fiber.Ctx) error {
	if s.stopping.Load() {
		return c.Status(fiber.StatusServiceUnavailable).JSON(fiber.Map{"status": "stopping"})
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), 2*time.Second)
	defer cancel()
	if err := s.pool.Ping(ctx); err != nil {
		return c.Status(fiber.StatusServiceUnavailable).JSON(fiber.Map{"status": "the database does not answer"})
	}
	return c.JSON(fiber.Map{"status": "ok"})
}
