package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
)

// TestRetry: a report that could not be read is kept with all that was asked,
// and imported without another upload once it can be: here it is, once the
// limit that it broke is raised.
func TestRetry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.imp.Limits.Observations = 2
	day, err := gate.ParseDate("2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	service := "checkout"
	ask := func(r *Request) {
		r.ScanDate, r.MinimumSeverity, r.Tags, r.Service, r.Sequence = day, gate.Medium, []string{"nightly"}, &service, 7
	}
	if _, err := b.try(b.request(generic(titled("A B C")...), ask)); err == nil || !strings.Contains(err.Error(), "2") {
		t.Fatalf("over the limit: %v", err)
	}
	failed, err := b.imp.Store.Import(t.Context(), gate.Scope{All: true}, 1)
	if err != nil || failed.State != "failed" || failed.Error == "" {
		t.Fatalf("%+v, %v", failed, err)
	}
	if strings.Contains(string(failed.Request), "importer") {
		t.Errorf("the request keeps who sent it: %s", failed.Request)
	}
	may := func(Resolved) error { return nil }
	if _, err := b.imp.Retry(t.Context(), failed, b.user, may, now); err == nil {
		t.Fatal("it is read, though nothing has changed")
	}
	b.imp.Limits.Observations = 100
	forbidden := gate.Errorf(gate.Forbidden, "no")
	if _, err := b.imp.Retry(t.Context(), failed, b.user, func(Resolved) error { return forbidden }, now); gate.KindOf(err) != gate.Forbidden {
		t.Errorf("by somebody who may not: %v", err)
	}
	r, err := b.imp.Retry(t.Context(), failed, b.user, may, now)
	if err != nil || r.New != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	b.want("A active", "B active", "C active")
	var got []string
	if err := b.pool.QueryRow(t.Context(), `
		select array[t.tags[1], i.sequence::text, max(f.date)::text, max(f.service)] from findings f join tests t on t.id = f.test_id join test_imports i on i.test_id = t.id and i.state = 'done'
		group by t.tags, i.sequence`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"nightly", "7", "2026-11-20", "checkout"}, got); diff != "" {
		t.Errorf("what was asked (-want +got):\n%s", diff)
	}
	again, err := b.imp.Store.Import(t.Context(), gate.Scope{All: true}, 1)
	if err != nil || again.RetriedByID == nil || *again.RetriedByID != r.ImportID {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := b.imp.Retry(t.Context(), again, b.user, may, now); gate.KindOf(err) != gate.Conflict {
		t.Errorf("a second time: %v", err)
	}
}
