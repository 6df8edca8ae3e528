package triage_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
)

func TestUndo(t *testing.T) {
	t.Parallel()
	db := gatetest.DB(t)
	sql, err := os.ReadFile("../web/testdata/shop.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), string(sql)); err != nil {
		t.Fatal(err)
	}
	s := store.New(db)
	actions := &triage.Triage{Store: s}
	now := time.Now().UTC().Truncate(time.Second)
	ada := func(request string, after time.Duration) triage.Actor {
		return triage.Actor{Who: gate.Principal{User: gate.User{ID: 1, Username: "ada"}}, Scope: gate.Scope{All: true}, Now: now.Add(after), RequestID: request}
	}
	read := func(id int64) gate.Finding {
		f, err := s.Finding(t.Context(), gate.Scope{All: true}, id)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	same := cmpopts.IgnoreFields(gate.Finding{}, "Updated", "LastStatusUpdate", "LastReviewed", "LastReviewedByID")

	before := []gate.Finding{read(1), read(2), read(7)}
	if _, err := actions.CloseAll(t.Context(), ada("r1", 0), []int64{1, 2, 7}, lifecycle.Closing{FalseP: true}, triage.Note{Entry: "no"}); err != nil {
		t.Fatal(err)
	}
	if _, err := actions.Reopen(t.Context(), ada("r2", time.Second), 2, triage.Note{}); err != nil {
		t.Fatal(err)
	}
	other := ada("r1", time.Minute)
	other.Who.User.ID = 2
	if undone, err := actions.Undo(t.Context(), other, "r1"); err != nil || len(undone) != 0 {
		t.Errorf("somebody else undoes %d findings, %v", len(undone), err)
	}
	if undone, err := actions.Undo(t.Context(), ada("r4", time.Hour), "r1"); err != nil || len(undone) != 0 {
		t.Errorf("an hour later %d findings are undone, %v", len(undone), err)
	}
	undone, err := actions.Undo(t.Context(), ada("r3", time.Minute), "r1")
	if err != nil || len(undone) != 2 {
		t.Fatalf("%d findings are undone, %v; want 2, for one has changed since", len(undone), err)
	}
	if diff := cmp.Diff([]gate.Finding{before[0], before[2]}, []gate.Finding{read(1), read(7)}, same); diff != "" {
		t.Errorf("after undo (-want +got):\n%s", diff)
	}
	var active int
	if err := db.QueryRow(t.Context(), `select count(*) from location_findings where finding_id = 7 and status = 'Active'`).Scan(&active); err != nil || active != 1 {
		t.Errorf("%d locations are active again, %v", active, err)
	}
	if again, err := actions.Undo(t.Context(), ada("r5", 2*time.Minute), "r1"); err != nil || len(again) != 0 {
		t.Errorf("undone twice: %d, %v", len(again), err)
	}
}

func TestAssignAll(t *testing.T) {
	t.Parallel()
	db := gatetest.DB(t)
	sql, err := os.ReadFile("../web/testdata/shop.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), string(sql)); err != nil {
		t.Fatal(err)
	}
	actions := &triage.Triage{Store: store.New(db)}
	mika, a := int64(2), triage.Actor{Who: gate.Principal{User: gate.User{ID: 1, Username: "ada"}}, Scope: gate.Scope{ProductIDs: []int64{1}}, Now: time.Now()}
	assigned, err := actions.AssignAll(t.Context(), a, []int64{1, 2, 3}, &mika)
	if err != nil || len(assigned) != 2 { // 3 is of another product
		t.Errorf("assigned %d, %v", len(assigned), err)
	}
}
