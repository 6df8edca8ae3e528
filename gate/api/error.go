package api

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/inbound"
	"defectdojo/gate/store"
)

// fail is an answer that is not a success.
type fail struct {
	status int
	body   any
}

// Error returns the status and the body.
func (f fail) Error() string { return fmt.Sprintf("%d %v", f.status, f.body) }

// detail is the body in which most refusals are told.
func detail(message string) map[string]string { return map[string]string{"detail": message} }

// problems are what is wrong with a request, by field.
type problems map[string][]string

// Error lists the problems.
func (p problems) Error() string {
	var lines []string
	for _, field := range slices.Sorted(maps.Keys(p)) {
		lines = append(lines, field+": "+strings.Join(p[field], " "))
	}
	return strings.Join(lines, "; ")
}

// add notes a problem.
func (p problems) add(field, format string, args ...any) {
	p[field] = append(p[field], fmt.Sprintf(format, args...))
}

// body is the problems as they are told: each under its field, and all of them as one text.
func (p problems) body() map[string]any {
	out := map[string]any{"message": p.Error()}
	for field, messages := range p {
		out[field] = messages
	}
	return out
}

// models are DefectDojo's names of what the store calls otherwise.
var models = map[string]string{
	"product type": "Product_Type", "test type": "Test_Type", "user": "Dojo_User", "tool type": "Tool_Type", "tool": "Tool_Configuration", "scan configuration": "Product_API_Scan_Configuration", "risk acceptance": "Risk_Acceptance", "group": "Dojo_Group", "group member": "Dojo_Group_Member", "member": "Product_Member", "global role": "Global_Role", "environment": "Development_Environment",
	"metadata": "DojoMeta", "note": "Notes", "JIRA instance": "JIRA_Instance", "JIRA project": "JIRA_Project", "JIRA issue": "JIRA_Issue",
}

// Error answers a request below Root whose handler returned err. Every
// handler's error comes here, and here alone is it logged and told.
func Error(c *fiber.Ctx, err error) error {
	status, body := answer(err)
	if after := retryAfter(err); after > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(after))
	}
	if status == fiber.StatusInternalServerError {
		slog.ErrorContext(c.UserContext(), "request failed", "method", c.Method(), "path", inbound.ShownPath(c.Path()), "error", err)
	}
	if status == fiber.StatusMethodNotAllowed {
		body = detail(fmt.Sprintf("Method %q not allowed.", c.Method()))
	}
	return send(c, status, body)
}

func answer(err error) (int, any) {
	if f, ok := errors.AsType[fail](err); ok {
		return f.status, f.body
	}
	if p, ok := errors.AsType[problems](err); ok {
		return fiber.StatusBadRequest, p.body()
	}
	if e, ok := errors.AsType[*gate.Error](err); ok {
		return answerGate(e)
	}
	if e, ok := errors.AsType[*fiber.Error](err); ok { // Fiber's own: no such route, body too large
		return e.Code, detail(strings.TrimSuffix(e.Message, ".") + ".")
	}
	if store.LostToAnother(err) {
		return fiber.StatusServiceUnavailable, detail("Others changed the same thing at the same time: try again.")
	}
	return fiber.StatusInternalServerError, internal
}

var internal = map[string]string{"message": "Internal server error, check logs for details"}

func answerGate(e *gate.Error) (int, any) {
	switch e.Kind {
	case gate.Invalid:
		return fiber.StatusBadRequest, problems{cmp.Or(e.Field, "non_field_errors"): {e.Message}}.body()
	case gate.Unauthorized, gate.Forbidden: // both: the field's clients know no 401 here
		return fiber.StatusForbidden, detail(e.Message)
	case gate.NotFound:
		return fiber.StatusNotFound, detail(notFound(e.Message))
	case gate.Conflict:
		return fiber.StatusConflict, map[string]string{"message": e.Message}
	case gate.TooLarge:
		return fiber.StatusRequestEntityTooLarge, map[string]string{"message": e.Message}
	case gate.Unavailable:
		return fiber.StatusServiceUnavailable, detail(e.Message)
	case gate.Limited:
		return fiber.StatusTooManyRequests, detail(e.Message)
	default:
		return fiber.StatusInternalServerError, internal
	}
}

// notFound words the store's "no such thing" as DefectDojo does.
func notFound(message string) string {
	what, is := strings.CutPrefix(message, "no such ")
	if !is {
		return message
	}
	model, known := models[what]
	if !known {
		model = strings.ToUpper(what[:1]) + what[1:]
	}
	return "No " + model + " matches the given query."
}

// retryAfter returns the seconds after which it may help to try again, or 0.
func retryAfter(err error) int {
	e, ok := errors.AsType[*gate.Error](err)
	switch {
	case store.LostToAnother(err):
		return 1
	case !ok || e.Kind != gate.Unavailable && e.Kind != gate.Limited:
		return 0
	case e.After > 0:
		return int(math.Ceil(e.After.Seconds()))
	default:
		return 5
	}
}
