package notification

import (
	"time"

	"defectdojo/gate/store"
)

// The states of a webhook.
const (
	HookActive            = "active"
	HookActiveTemporarily = "active_tmp"         // it failed within the last day, and is tried
	HookInactive          = "inactive_tmp"       // it failed just now
	HookGivenUp           = "inactive_permanent" // somebody has to look at it
)

// How long a webhook's states last.
const (
	hookPause   = time.Minute     // from a failure to the next attempt
	hookStuck   = 5 * time.Minute // nothing was tried: it may be again
	hookHealing = 24 * time.Hour  // without a failure it is well
	hookGrace   = 24 * time.Hour  // of failures in a row, before it is given up
	hookNote    = 1000            // characters of what is noted
)

// Outcome is how an attempt at a webhook went.
type Outcome int

// The outcomes.
const (
	Worked Outcome = iota
	Temporary
	Permanent
)

// Judge returns a webhook's health after an attempt. One that fails for a day
// is given up; so is, at once, one that answers that it does not want this.
func Judge(h store.NotificationWebhook, o Outcome, note string, now time.Time) store.NotificationWebhook {
	switch {
	case o == Worked:
		if h.Status == HookInactive {
			h.Status = HookActiveTemporarily
		}
		return h
	case h.Status == HookGivenUp:
		return h
	}
	h.LastError = &now
	note = clip(note, hookNote)
	h.Note = &note
	if h.FirstError == nil {
		h.FirstError = &now
	}
	h.Status = HookInactive
	if o == Permanent || now.Sub(*h.FirstError) > hookGrace {
		h.Status = HookGivenUp
	}
	return h
}

// Rest returns a webhook's health when nothing was tried up to a time.
func Rest(h store.NotificationWebhook, now time.Time) store.NotificationWebhook {
	quiet := hookHealing
	if h.LastError != nil {
		quiet = now.Sub(*h.LastError)
	}
	switch {
	case h.Status == HookActiveTemporarily && quiet >= hookHealing:
		h.Status, h.FirstError, h.LastError, h.Note = HookActive, nil, nil, nil
	case h.Status == HookInactive && quiet > hookStuck:
		h.Status = HookActiveTemporarily
	}
	return h
}

// Pause returns how long nothing is to be sent to a webhook.
func Pause(h store.NotificationWebhook, now time.Time) time.Duration {
	if h.Status != HookInactive || h.LastError == nil {
		return 0
	}
	return max(hookPause-now.Sub(*h.LastError), 0)
}
