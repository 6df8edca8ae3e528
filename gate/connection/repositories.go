package connection

import (
	"context"
	"path"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// Mapping is what belongs to whom of a repository, or of a part of one.
type Mapping struct {
	Product   int64    // 0: none
	Artifacts []string // patterns of names; none: the connection's
	Paths     []string // of a part: where it is; none: everywhere
}

// mostPaths is how many paths a part may have.
const mostPaths = 100

// check tells what is wrong with a mapping, and tidies its paths.
func (m *Mapping) check(component string) error {
	for _, p := range m.Artifacts {
		if err := integrations.CheckPattern(p); err != nil {
			return gate.FieldErrorf("artifacts", "%s", err.Error())
		}
	}
	if component == "" && len(m.Paths) > 0 {
		return gate.FieldErrorf("paths", "only a part of a repository has paths: the repository is all of it")
	}
	if len(m.Paths) > mostPaths {
		return gate.FieldErrorf("paths", "a part has %d paths at most", mostPaths)
	}
	for i, p := range m.Paths {
		clean := path.Clean(strings.TrimPrefix(p, "/"))
		if p == "" || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(p, "*?[\\") || len(p) > 300 {
			return gate.FieldErrorf("paths", "%q is no folder of the repository: give it like services/api, without patterns", p)
		}
		m.Paths[i] = clean
	}
	return nil
}

// componentName is what a part may be called: its name stands in that of its check.
var componentName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// AddPart makes a part of a repository, with a product of its own, and returns
// its id. Of a report, each part takes what is at its paths, and what is at no
// part's.
func (c *Connections) AddPart(ctx context.Context, who store.AuditEvent, repository int64, component string, m Mapping) (int64, error) {
	if !componentName.MatchString(component) {
		return 0, gate.FieldErrorf("component", "a part has a name of letters, digits, dots, dashes and underscores")
	}
	if err := m.check(component); err != nil {
		return 0, err
	}
	if len(m.Paths) == 0 && len(m.Artifacts) == 0 {
		return 0, gate.FieldErrorf("paths", "a part has paths or artifacts of its own: else all that comes is its, and the repository's")
	}
	var id int64
	err := c.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		var err error
		if id, err = s.AddRepositoryPart(ctx, repository, component); err != nil {
			return err
		}
		who.Action = "repository:add"
		return c.mapping(ctx, s, who, id, m)
	})
	if gate.KindOf(err) == gate.Conflict {
		err = gate.FieldErrorf("component", "the repository has a part %s already", component)
	}
	return id, err
}

// RemovePart forgets a part of a repository, with what was told of it. The
// repository itself is forgotten with its connection alone.
func (c *Connections) RemovePart(ctx context.Context, who store.AuditEvent, id int64) error {
	return c.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		r, err := s.Repository(ctx, id)
		if err != nil {
			return err
		}
		if r.Component == "" {
			return gate.Errorf(gate.Conflict, "%s is no part of a repository: give it no product, and nothing follows from it", r.FullName)
		}
		if err := s.DeleteRepository(ctx, id); err != nil {
			return err
		}
		who.Action, who.ProductID = "repository:delete", r.ProductID
		who.At, who.Object, who.ObjectID = c.Now(), "repository", &id
		who.Changes = map[string]any{"repository": r.FullName, "component": r.Component}
		return s.AddAuditEvent(ctx, who)
	})
}

// Map says what belongs to whom of a repository or a part of one.
func (c *Connections) Map(ctx context.Context, who store.AuditEvent, id int64, m Mapping) error {
	return c.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		who.Action = "repository:map"
		return c.mapping(ctx, s, who, id, m)
	})
}

func (c *Connections) mapping(ctx context.Context, s *store.Store, who store.AuditEvent, id int64, m Mapping) error {
	r, err := s.Repository(ctx, id)
	if err != nil {
		return err
	}
	if err := m.check(r.Component); err != nil {
		return err
	}
	if err := s.MapRepository(ctx, id, gate.NonZero(m.Product), m.Artifacts, m.Paths); err != nil {
		return err
	}
	who.ProductID = gate.NonZero(m.Product)
	who.At, who.Object, who.ObjectID = c.Now(), "repository", &id
	who.Changes = map[string]any{
		"repository": r.FullName, "component": r.Component, "product": []any{r.ProductID, gate.NonZero(m.Product)}, "artifacts": m.Artifacts, "paths": m.Paths,
	}
	return s.AddAuditEvent(ctx, who)
}
