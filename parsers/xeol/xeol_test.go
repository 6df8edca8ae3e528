package xeol

import (
	"testing"
	"time"

	"defectdojo/gate"
)

// TestSeverityChangesOnce checks that a finding's severity depends on whether the
// support has ended alone.
func TestSeverityChangesOnce(t *testing.T) {
	t.Parallel()
	eol := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	for days, want := range map[int]gate.Severity{-400: gate.Info, -1: gate.Info, 1: gate.Critical, 20: gate.Critical, 4000: gate.Critical} {
		if got := severity(eol, eol.AddDate(0, 0, days)); got != want {
			t.Errorf("%d days after the end of life: %v, want %v", days, got, want)
		}
	}
	if got := severity(time.Time{}, eol); got != gate.Info {
		t.Errorf("without an end of life: %v, want Info", got)
	}
}
