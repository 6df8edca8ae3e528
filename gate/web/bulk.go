package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// bulkLimit is how many findings one action changes at most.
const bulkLimit = 5000

// bulkPage is what bulk.html shows: what an action is going to change.
type bulkPage struct {
	layout
	Action  action
	Would   []store.BulkRow // that are changed
	Shown   []store.BulkRow // the worst of them
	Counts  store.Counts
	Places  []reasonCount // of which products
	Not     []reasonCount // that are not, and why
	More    bool          // there are more than can be changed at once
	Query   string        // where to go back to
	People  []store.Choice
	Problem string
	Note    string
}

// IDs are the findings that are changed, for the form that changes them: just
// those that the page has shown, whatever comes in meanwhile.
func (p bulkPage) IDs() string {
	texts := make([]string, len(p.Would))
	for i, r := range p.Would {
		texts[i] = strconv.FormatInt(r.ID, 10)
	}
	return strings.Join(texts, ",")
}

// Back is the list that the findings were chosen from.
func (p bulkPage) Back() string { return listOf(p.Query) }

// previewBulk serves POST /findings/bulk, which changes nothing.
func (w *web) previewBulk(v *visit) error {
	a, err := actionOf(v)
	if err != nil {
		return err
	}
	who, err := w.actor(v, a.may)
	if err != nil {
		return err
	}
	search := store.FindingSearch{Scope: who.Scope, IDs: orNone(v.ids())}
	if v.form("all") != "" {
		if search, err = w.wholeList(v, who.Scope); err != nil {
			return err
		}
	}
	rows, err := w.Store.BulkRows(v.UserContext(), search, bulkLimit+1)
	if err != nil {
		return err
	}
	return w.showBulk(v, a, rows, "")
}

// wholeList is the search of the list that a form came from, where its sender may act.
func (w *web) wholeList(v *visit, scope gate.Scope) (store.FindingSearch, error) {
	query, err := url.ParseQuery(v.form("query"))
	if err != nil {
		return store.FindingSearch{}, gate.FieldErrorf("query", "it is not one of a list")
	}
	f, _ := newFilter(query)
	return f.search(scope, gate.DateOf(v.now.UTC()), v.User)
}

func (w *web) showBulk(v *visit, a action, rows []store.BulkRow, problem string) error {
	const shown = 50
	p := bulkPage{layout: w.layout(v, "findings", a.Button), Action: a, Query: v.form("query"), Problem: problem, Note: v.form("note")}
	if p.More = len(rows) > bulkLimit; p.More {
		rows = rows[:bulkLimit]
	}
	p.Would, p.Not = a.split(rows, order{assignee: nobodyYet(a)})
	p.Shown = p.Would[:min(len(p.Would), shown)]
	for _, r := range p.Would {
		p.Counts[r.Severity]++
		p.Places = count(p.Places, r.Product)
	}
	if a.Assign {
		var err error
		if p.People, err = w.Store.People(v.UserContext()); err != nil {
			return err
		}
	}
	return render(v.Ctx, "bulk.html", p)
}

// nobodyYet stands for whoever will be chosen, so that all are shown.
func nobodyYet(a action) *int64 {
	if !a.Assign {
		return nil
	}
	nobody := int64(store.Unassigned)
	return &nobody
}

// applyBulk serves POST /findings/bulk/apply.
func (w *web) applyBulk(v *visit) error {
	a, err := actionOf(v)
	if err != nil {
		return err
	}
	o, err := v.order(a)
	if err != nil {
		return err
	}
	if a.Why && o.note.Entry == "" {
		who, err := w.actor(v, a.may)
		if err != nil {
			return err
		}
		rows, err := w.Store.BulkRows(v.UserContext(), store.FindingSearch{Scope: who.Scope, IDs: orNone(v.ids())}, bulkLimit)
		if err != nil {
			return err
		}
		v.Status(fiber.StatusBadRequest)
		return w.showBulk(v, a, rows, "Say why: it will be asked later.")
	}
	if err := w.act(v, a, o, v.ids()); err != nil {
		return err
	}
	return v.Redirect(listOf(v.form("query")), fiber.StatusSeeOther)
}

// undo serves POST /findings/undo.
func (w *web) undo(v *visit) error {
	who, err := w.actor(v, auth.EditFinding)
	if err != nil {
		return err
	}
	done, err := w.Triage.Undo(v.UserContext(), who, v.form("request"))
	if err != nil {
		return err
	}
	text := plural(len(done), "finding is", "findings are") + " as before."
	if len(done) == 0 {
		text = "Nothing could be undone: it is too late, or it has changed since."
	}
	w.flash(v, flash{Text: text})
	return v.Redirect(localPath(v.form("back")), fiber.StatusSeeOther)
}

// ids reads the numbers of findings: one a field, or several with commas between.
func (v *visit) ids() []int64 {
	var ids []int64
	for _, field := range v.Request().PostArgs().PeekMulti("id") {
		for text := range strings.SplitSeq(string(field), ",") {
			if id, err := strconv.ParseInt(text, 10, 64); err == nil && !slices.Contains(ids[max(0, len(ids)-1):], id) {
				ids = append(ids, id)
			}
		}
	}
	return ids[:min(len(ids), bulkLimit)]
}

// listOf is the address of a list of findings with a query.
func listOf(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "/findings"
	}
	f, _ := newFilter(values)
	return f.Address()
}
