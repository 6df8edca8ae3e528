package api

import (
	"context"
	"io"
	"math"
	"mime"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// language is how much of a programming language a product holds, as the API tells it.
type language struct {
	ID       int64  `json:"id"`
	Files    int32  `json:"files"`
	Blank    int32  `json:"blank"`
	Comment  int32  `json:"comment"`
	Code     int32  `json:"code"`
	Created  stamp  `json:"created"`
	Language int64  `json:"language"`
	Product  int64  `json:"product"`
	User     *int64 `json:"user"`
}

func (a *api) languages() resource[store.Language] {
	list := func(r *request, s *store.Store, f store.LanguageFilter) (l store.List[store.Language], err error) {
		if f.Scope, err = r.scope(); err != nil {
			return l, err
		}
		return s.Languages(r.ctx, f)
	}
	return resource[store.Language]{
		path: "/languages", model: "language", view: auth.View,
		id: func(l store.Language) int64 { return l.ID },
		find: func(r *request, s *store.Store, id int64) (store.Language, error) {
			l, err := list(r, s, store.LanguageFilter{IDs: []int64{id}})
			if err == nil && len(l.Rows) == 0 {
				err = gate.Errorf(gate.NotFound, "no such language")
			}
			if err != nil {
				return store.Language{}, err
			}
			return l.Rows[0], nil
		},
		page: func(r *request, q *query) (store.List[store.Language], store.Page, error) {
			p := q.page()
			l, err := list(r, r.Store, store.LanguageFilter{IDs: q.number("id"), Types: q.number("language"), Products: q.number("product"), Page: p})
			return l, p, err
		},
		show: func(_ *request, rows []store.Language) ([]any, error) {
			out := []any{}
			for _, l := range rows {
				out = append(out, language{l.ID, l.Files, l.Blank, l.Comment, l.Code, stamp(l.Created), l.TypeID, l.ProductID, l.UserID})
			}
			return out, nil
		},
		refers: references[store.Language]{},
	}
}

func (a *api) languageRoutes() []route {
	return append(a.languages().routes(), route{fiber.MethodPost, "/import-languages", auth.Import, a.importLanguages})
}

// maxLanguages bounds what cloc may find: it knows some three hundred.
const maxLanguages = 2000

// importLanguages serves POST /import-languages: what cloc --json counted in a product.
func (a *api) importLanguages(r *request) error {
	kind, params, err := mime.ParseMediaType(r.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return unsupported(r.Get(fiber.HeaderContentType))
	}
	up, err := r.receive(params["boundary"])
	if err != nil {
		r.Context().SetConnectionClose()
		return err
	}
	defer up.remove()
	f := &form{html: true, values: up.values, problems: problems{}}
	var product int64
	f.reference(r.ctx, "product", &product, required, r.importsInto)
	if up.path == "" {
		f.problems.add("file", "No file was submitted.")
	}
	if err := f.failed(); err != nil {
		return err
	}
	if err := r.may(product); err != nil {
		return err
	}
	if b := r.bounds(); b != nil && len(b.Never) > 0 {
		return outOfBounds("a job of another branch than the default one cannot say what is in the product")
	}
	all, err := readCloc(up.path)
	if err != nil {
		return err
	}
	if err := r.Store.SetLanguages(r.ctx, product, r.who.User.ID, all, r.now); err != nil {
		return err
	}
	if err := r.audit(r.Store, "import", "languages", product, &product, map[string]any{"languages": len(all)}); err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, map[string]any{"product": product, "file": nil})
}

// importsInto tells whether there is a product that the sender may see, or may
// import into without seeing it.
func (r *request) importsInto(ctx context.Context, id int64) (bool, error) {
	scope, err := r.Auth.Scope(ctx, r.who, r.do)
	if err != nil {
		return false, err
	}
	if !scope.Allows(id) {
		return r.seesProduct(ctx, id)
	}
	_, err = r.Store.Product(ctx, scope, id)
	return allows(err)
}

// readCloc reads a report of cloc: an object with an entry for each language,
// beside its header and its sum.
func readCloc(path string) ([]store.Language, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxBody))
	if err != nil {
		return nil, err
	}
	var counted map[string]struct {
		Files   int64 `json:"nFiles"`
		Blank   int64 `json:"blank"`
		Comment int64 `json:"comment"`
		Code    int64 `json:"code"`
	}
	wrong := problems{"file": {"It is no report of cloc --json."}}
	if err := json.Unmarshal(b, &counted, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil || len(counted) > maxLanguages {
		return nil, wrong
	}
	var all []store.Language
	for name, n := range counted {
		if name == "header" || name == "SUM" {
			continue
		}
		l := store.Language{Name: strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "_")}
		for into, v := range map[*int32]int64{&l.Files: n.Files, &l.Blank: n.Blank, &l.Comment: n.Comment, &l.Code: n.Code} {
			if v < 0 || v > math.MaxInt32 {
				return nil, wrong
			}
			*into = int32(v)
		}
		if l.Name == "" || len(l.Name) > 100 {
			return nil, wrong
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b store.Language) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
