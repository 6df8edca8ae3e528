package lifecycle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

var (
	now     = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	earlier = now.Add(-time.Hour)
	jane    = By{UserID: 7, Now: now}
)

// short writes a status as letters: Active Verified False_p Out_of_scope
// Risk_accepted Mitigated Duplicate, and "!" when mitigation has no time.
func short(f gate.Finding) string {
	s := ""
	var sSb21 strings.Builder
	for _, x := range []struct {
		on bool
		c  string
	}{{f.Active, "A"}, {f.Verified, "V"}, {f.FalseP, "F"}, {f.OutOfScope, "O"}, {f.RiskAccepted, "R"}, {f.IsMitigated, "M"}, {f.Duplicate, "D"}} {
		if x.on {
			sSb21.WriteString(x.c)
		}
	}
	s += sSb21.String()
	if f.IsMitigated != (f.Mitigated != nil) {
		s += "!"
	}
	return s
}

func of(s string) gate.Finding {
	f := gate.Finding{ID: 1, ProductID: 1, LastStatusUpdate: earlier}
	for _, c := range s {
		switch c {
		case 'A':
			f.Active = true
		case 'V':
			f.Verified = true
		case 'F':
			f.FalseP = true
		case 'O':
			f.OutOfScope = true
		case 'R':
			f.RiskAccepted = true
		case 'M':
			f.IsMitigated, f.Mitigated = true, &earlier
		case 'D':
			f.Duplicate = true
		}
	}
	return f
}

func TestSettleInsert(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "A": "A", "AV": "AV", "M": "M", "AM": "A", "AF": "A", "AO": "A", "F": "FM", "O": "OM", "VF": "FM", "R": "R", "AR": "AR", "V": "V", "D": "D", "AMF": "A", "FO": "FOM",
	} {
		f := of(in)
		if Settle(nil, &f, jane); short(f) != want {
			t.Errorf("new %q settles to %q, want %q", in, short(f), want)
		}
	}
	f := of("")
	f.Mitigated = &earlier
	if Settle(nil, &f, jane); f.Mitigated != nil {
		t.Error("a new finding that is not mitigated keeps its date of mitigation")
	}
}

func TestSettleChange(t *testing.T) {
	t.Parallel()
	tests := []struct{ before, asked, want string }{
		{"A", "A", "A"},
		{"A", "AV", "AV"},
		{"A", "AM", "AM"}, // active has not changed, so it does not win: the caller deactivates
		{"A", "M", "M"},
		{"M", "A", "A"},
		{"M", "AM", "A"},
		{"M", "", ""},
		{"A", "AF", "FM"},
		{"AV", "AVF", "FM"},
		{"A", "AO", "OM"},
		{"FM", "AFM", "A"},
		{"FM", "M", "M"},
		{"OM", "A", "A"},
		{"A", "R", "R"},
		{"R", "A", "A"},
		{"R", "RM", "RM"},
		{"D", "A", "A"},
		{"D", "D", "D"},
		{"", "V", "V"},
	}
	for _, tt := range tests {
		before, f := of(tt.before), of(tt.asked)
		if tt.asked != "" && f.IsMitigated && !before.IsMitigated {
			f.Mitigated = nil
		}
		if Settle(&before, &f, jane); short(f) != tt.want {
			t.Errorf("%q asked to be %q settles to %q, want %q", tt.before, tt.asked, short(f), tt.want)
		}
	}
}

// TestSettleAll goes through all pairs of states and checks what always holds.
func TestSettleAll(t *testing.T) {
	t.Parallel()
	var states []string
	for bits := range 1 << 7 {
		s := ""
		var sSb115 strings.Builder
		for i, c := range "AVFORMD" {
			if bits&(1<<i) != 0 {
				sSb115.WriteString(string(c))
			}
		}
		s += sSb115.String()
		states = append(states, s)
	}
	var settled []gate.Finding
	for _, s := range states {
		f := of(s)
		Settle(nil, &f, jane)
		settled = append(settled, f)
	}
	for _, before := range settled {
		for _, s := range states {
			f := of(s)
			changed := Settle(&before, &f, jane)
			pair := fmt.Sprintf("%s → %s = %s", short(before), s, short(f))
			if changed != !f.LastStatusUpdate.Equal(earlier) && changed {
				t.Errorf("%s: changed, but last_status_update is %v", pair, f.LastStatusUpdate)
			}
			if f.IsMitigated && f.Mitigated == nil {
				t.Errorf("%s: mitigated at no time", pair)
			}
			if !before.Active && f.Active && (f.FalseP || f.OutOfScope || f.IsMitigated) {
				t.Errorf("%s: active does not win", pair)
			}
			if changed && !f.Duplicate && f.DuplicateFindingID != nil {
				t.Errorf("%s: no duplicate, but it has an original", pair)
			}
			again := f
			if Settle(&f, &again, jane) {
				t.Errorf("%s: settles twice", pair)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		before, asked string
		simple, ok    bool
	}{
		{"A", "AV", false, true},
		{"A", "AD", false, false},
		{"A", "VD", false, false},
		{"A", "D", false, true},
		{"A", "FV", false, false},
		{"A", "R", false, false},
		{"A", "R", true, true},
		{"R", "R", false, true},
		{"R", "AR", true, false},
	}
	for _, tt := range tests {
		before, f := of(tt.before), of(tt.asked)
		if err := Check(&before, &f, tt.simple); (err == nil) != tt.ok {
			t.Errorf("Check(%q → %q, %v) = %v", tt.before, tt.asked, tt.simple, err)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	original := gate.Finding{ID: 2, ProductID: 1}
	events := map[string]func(*gate.Finding) error{
		"close":          func(f *gate.Finding) error { Close(f, Closing{IsMitigated: true}, jane); return nil },
		"false_positive": func(f *gate.Finding) error { Close(f, Closing{FalseP: true}, jane); return nil },
		"reopen":         func(f *gate.Finding) error { Reopen(f, jane); return nil },
		"verify":         func(f *gate.Finding) error { return Verify(f, jane) },
		"accept":         func(f *gate.Finding) error { AcceptRisk(f, jane); return nil },
		"unaccept":       func(f *gate.Finding) error { UnacceptRisk(f, jane); return nil },
		"review":         func(f *gate.Finding) error { RequestReview(f, []int64{8}, jane); return nil },
		"duplicate":      func(f *gate.Finding) error { return MarkDuplicate(f, original, jane) },
		"reset":          func(f *gate.Finding) error { ResetDuplicate(f, jane); return nil },
	}
	tests := []struct{ before, event, want string }{
		{"AV", "close", "VM"},
		{"R", "close", "M"},
		{"D", "close", "M"},
		{"AV", "false_positive", "FM"},
		{"A", "false_positive", "FM"},
		{"M", "reopen", "A"},
		{"FM", "reopen", "A"},
		{"R", "reopen", "A"},
		{"D", "reopen", "A"},
		{"A", "verify", "AV"},
		{"D", "verify", "error"},
		{"M", "verify", "VM"},
		{"AV", "accept", "VR"},
		{"R", "unaccept", "A"},
		{"RM", "unaccept", "M"},
		{"AV", "review", "A"},
		{"M", "review", "A"},
		{"AV", "duplicate", "D"},
		{"D", "reset", "A"},
		{"DM", "reset", "A"},
	}
	for _, tt := range tests {
		f := of(tt.before)
		got := "error"
		if events[tt.event](&f) == nil {
			got = short(f)
		}
		if got != tt.want {
			t.Errorf("%q after %s is %q, want %q", tt.before, tt.event, got, tt.want)
		}
		if got != "error" && (f.LastReviewed == nil || *f.LastReviewedByID != jane.UserID) {
			t.Errorf("%q after %s was reviewed by nobody", tt.before, tt.event)
		}
	}
	for _, bad := range []gate.Finding{{ID: 1, ProductID: 1}, {ID: 2, ProductID: 2}, {ID: 2, ProductID: 1, Duplicate: true}} {
		f := of("A")
		if err := MarkDuplicate(&f, bad, jane); gate.KindOf(err) != gate.Invalid {
			t.Errorf("duplicate of %+v: %v", bad, err)
		}
	}
}
