package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// Language is how much of a programming language a product holds.
type Language struct {
	ID        int64
	Name      string
	TypeID    int64 `db:"language_id"`
	ProductID int64
	UserID    *int64
	Files     int32
	Blank     int32
	Comment   int32
	Code      int32
	Created   time.Time
}

const (
	languageColumns = `l.id, t.language as name, l.language_id, l.product_id, l.user_id, l.files, l.blank, l.comment, l.code, l.created`
	languageTables  = `languages l join language_types t on t.id = l.language_id`
)

// LanguageFilter narrows a list of languages.
type LanguageFilter struct {
	Scope    gate.Scope
	IDs      []int64
	Types    []int64
	Products []int64
	Page
}

// Languages returns the languages of f, by ID.
func (s *Store) Languages(ctx context.Context, f LanguageFilter) (List[Language], error) {
	var w where
	w.scope("l.product_id", f.Scope)
	oneOf(&w, "l.id", f.IDs)
	oneOf(&w, "l.language_id", f.Types)
	oneOf(&w, "l.product_id", f.Products)
	return list[Language](ctx, s.db, languageColumns, languageTables, &w, " order by l.id", f.Page)
}

// SetLanguages makes these the languages of a product: those that are not among
// them go.
func (s *Store) SetLanguages(ctx context.Context, product, user int64, all []Language, now time.Time) error {
	var names []string
	var files, blank, comment, code []int32
	for _, l := range all {
		names, files, blank, comment, code = append(names, l.Name), append(files, l.Files), append(blank, l.Blank), append(comment, l.Comment), append(code, l.Code)
	}
	return s.atomically(ctx, func(s *Store) error {
		for _, statement := range []string{
			`insert into language_types (language) select unnest(@names::text[]) order by 1 on conflict do nothing`,
			`delete from languages l using language_types t where t.id = l.language_id and l.product_id = @product and not t.language = any(@names)`,
			`insert into languages (language_id, product_id, user_id, files, blank, comment, code, created)
			select t.id, @product, @user, n.files, n.blank, n.comment, n.code, @now
			from unnest(@names::text[], @files::int[], @blank::int[], @comment::int[], @code::int[]) n (name, files, blank, comment, code)
			join language_types t on t.language = n.name order by t.id
			on conflict (language_id, product_id) do update
			set user_id = excluded.user_id, files = excluded.files, blank = excluded.blank, comment = excluded.comment, code = excluded.code`,
		} {
			if _, err := s.db.Exec(ctx, statement, pgx.NamedArgs{
				"names": orEmpty(names), "files": orEmpty(files), "blank": orEmpty(blank), "comment": orEmpty(comment), "code": orEmpty(code),
				"product": product, "user": user, "now": now,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
