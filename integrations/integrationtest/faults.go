package integrationtest

import (
	"net/http"
	"strconv"
	"time"
)

// Faults are the ways to fail that every client is tried with, with what each
// means: whether trying again may help.
func Faults(now time.Time) []struct {
	Fault
	Temporary bool
} {
	return []struct {
		Fault
		Temporary bool
	}{
		{Fault{Name: "401", Status: http.StatusUnauthorized, Body: `{"message":"Bad credentials"}`}, false},
		{Fault{Name: "404", Status: http.StatusNotFound, Body: `{"message":"Not Found"}`}, false},
		{Fault{Name: "403", Status: http.StatusForbidden, Body: `{"message":"Resource not accessible"}`}, false},
		{RateLimit(now), true},
		{SecondaryLimit(), true},
		{Fault{Name: "429", Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}, Body: `{"message":"slow down"}`}, true},
		{Fault{Name: "500", Status: http.StatusInternalServerError, Body: `oops`}, true},
		{Fault{Name: "502", Status: http.StatusBadGateway, Body: `<html>bad gateway</html>`}, true},
		{Fault{Name: "503", Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"2"}}}, true},
		{Fault{Name: "reset", Reset: true}, true},
		{Fault{Name: "reset after", Reset: true, After: true}, true},
		{Fault{Name: "500 after", Status: http.StatusInternalServerError, After: true}, true},
		{Fault{Name: "200 with rubbish", Status: http.StatusOK, Body: `{"id":`}, true},
	}
}

// RateLimit is GitHub's primary limit: used up until a minute from now.
func RateLimit(now time.Time) Fault {
	return Fault{
		Name: "403 rate limit", Status: http.StatusForbidden, Body: `{"message":"API rate limit exceeded"}`,
		Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(now.Add(time.Minute).Unix(), 10)}},
	}
}

// SecondaryLimit is GitHub's limit on what costs it much.
func SecondaryLimit() Fault {
	return Fault{
		Name: "403 secondary limit", Status: http.StatusForbidden, Header: http.Header{"Retry-After": {"3"}},
		Body: `{"message":"You have exceeded a secondary rate limit"}`,
	}
}
