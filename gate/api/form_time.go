package api

import (
	"strings"
	"time"
)

// date reads a day.
func (f *form) date(name string, into *time.Time, rules rule) {
	f.moment(name, into, rules, parseDay, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
}

// maybeDate reads a day that may be null.
func (f *form) maybeDate(name string, into **time.Time) { f.maybeMoment(name, into, f.date) }

// instant reads a date and time.
func (f *form) instant(name string, into *time.Time, rules rule) {
	f.moment(name, into, rules, parseInstant, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
}

// maybeInstant reads a date and time that may be null.
func (f *form) maybeInstant(name string, into **time.Time) { f.maybeMoment(name, into, f.instant) }

func (f *form) moment(name string, into *time.Time, rules rule, parse func(string) (time.Time, bool), wrong string) {
	v, done := f.scalar(name, rules, func() { *into = time.Time{} })
	if done {
		return
	}
	s, _ := unquote(v)
	t, ok := parse(strings.TrimSpace(s))
	if !ok {
		f.problems.add(name, "%s", wrong)
		return
	}
	*into = t
}

func (f *form) maybeMoment(name string, into **time.Time, read func(string, *time.Time, rule)) {
	var t time.Time
	given := f.has(name)
	read(name, &t, nullable)
	switch {
	case !t.IsZero():
		*into = &t
	case given && f.problems[name] == nil:
		*into = nil
	}
}

func parseDay(s string) (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil
}

// instants are the forms of a date and time that clients send. Without a zone
// it is UTC.
var instants = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", time.DateOnly,
}

func parseInstant(s string) (time.Time, bool) {
	for _, layout := range instants {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
