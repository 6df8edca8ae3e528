package api

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
	"defectdojo/gate/dedup"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
)

func (a *api) scanTypeRoutes() []route {
	return []route{{fiber.MethodGet, "/scan_types", auth.ViewReference, a.scanTypes}}
}

// scanType is what there is to know of a scan type before its first report.
type scanType struct {
	Name       string        `json:"name"`
	Tool       string        `json:"tool"`
	Upload     string        `json:"upload"`  // the kinds of file
	Command    string        `json:"command"` // that makes one
	URL        string        `json:"url"`
	Algorithm  string        `json:"deduplication_algorithm"`
	HashFields []dedup.Field `json:"hash_code_fields"`
	NeedsCWE   bool          `json:"needs_cwe"` // without a CWE, the hash is made of the legacy fields
	BuiltIn    bool          `json:"built_in"`  // nobody has changed the three before
}

// scanTypes serves GET /scan_types: all scan types, with what to upload and the
// command that makes it. ?name= and ?tool= choose some.
func (a *api) scanTypes(r *request) error {
	q := r.query()
	name, tool := q.text("name"), q.text("tool")
	var found []parsers.Parser
	for _, p := range all.Parsers {
		if (name == "" || p.ScanType == name) && (tool == "" || p.Name == tool) {
			found = append(found, p)
		}
	}
	settings, changed, err := r.Identities.Effective(r.ctx)
	if err != nil {
		return err
	}
	page := q.page()
	rows := []any{}
	for n, p := range found {
		if n < page.Offset || n >= page.Offset+page.Limit {
			continue
		}
		s := settings[p.ScanType]
		rows = append(rows, scanType{p.ScanType, p.Name, p.Files, p.Command, p.URL, string(s.Algorithm), s.Fields, s.NeedsCWE, !changed[p.ScanType]})
	}
	return r.listing(q, page, len(found), rows, nil)
}
