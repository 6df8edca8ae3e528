package api

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/dedup"
	"defectdojo/gate/ingest"
)

func (a *api) dedupRoutes() []route {
	return []route{
		{fiber.MethodPost, "/dedup_settings/preview", auth.Configure, a.previewDedup},
		{fiber.MethodPut, "/dedup_settings", auth.Configure, a.saveDedup},
		{fiber.MethodDelete, "/dedup_settings", auth.Configure, a.resetDedup},
	}
}

// dedupForm reads how findings of a scan type are to be told apart.
func (r *request) dedupForm() (scanType string, set dedup.Settings, err error) {
	f, err := r.form()
	if err != nil {
		return "", set, err
	}
	var (
		algorithm string
		fields    []string
	)
	f.text("scan_type", &scanType, 255, required)
	f.text("deduplication_algorithm", &algorithm, 50, required)
	fields, _ = f.tagTexts("hash_code_fields", 0)
	f.flag("needs_cwe", &set.NeedsCWE, 0)
	if err := f.failed(); err != nil {
		return "", set, err
	}
	set.Algorithm = dedup.Algorithm(algorithm)
	for _, name := range fields {
		set.Fields = append(set.Fields, dedup.Field(name))
	}
	return scanType, set, nil
}

// previewDedup serves POST /dedup_settings/preview: what settings would change
// of the findings that are stored.
func (a *api) previewDedup(r *request) error {
	scanType, set, err := r.dedupForm()
	if err != nil {
		return err
	}
	effect, err := r.Identities.Preview(r.ctx, scanType, set)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, effect)
}

// saveDedup serves PUT /dedup_settings. The findings that are stored follow in
// the background; an import into a product has that product's follow first.
func (a *api) saveDedup(r *request) error {
	scanType, set, err := r.dedupForm()
	if err != nil {
		return err
	}
	if err := r.Identities.Save(r.ctx, scanType, &set, r.identitiesActor()); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]any{"scan_type": scanType, "deduplication_algorithm": set.Algorithm, "hash_code_fields": orNoFields(set.Fields), "needs_cwe": set.NeedsCWE})
}

// resetDedup serves DELETE /dedup_settings?scan_type=: the built-in settings hold again.
func (a *api) resetDedup(r *request) error {
	scanType := r.Query("scan_type")
	if scanType == "" {
		return gate.FieldErrorf("scan_type", "This field is required.")
	}
	if err := r.Identities.Save(r.ctx, scanType, nil, r.identitiesActor()); err != nil {
		return err
	}
	return r.SendStatus(fiber.StatusNoContent)
}

func (r *request) identitiesActor() ingest.Who {
	return ingest.Who{Principal: r.who, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}
}

func orNoFields(f []dedup.Field) []dedup.Field {
	if f == nil {
		return []dedup.Field{}
	}
	return f
}
