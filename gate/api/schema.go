package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
	"defectdojo/parsers/all"
)

func (a *api) schemaRoutes() []route {
	return []route{{fiber.MethodGet, "/oa3/schema", auth.Public, a.schema}}
}

// schema serves GET /oa3/schema: an OpenAPI description of what there is. It
// names all operations as DefectDojo's does and tells the form of an import;
// the other bodies are objects of which it says no more.
func (a *api) schema(r *request) error {
	paths := map[string]map[string]any{}
	for _, rt := range a.routes() {
		path := Root + pathNames.Replace(rt.path) + "/"
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(rt.method)] = operation(rt)
	}
	return r.reply(fiber.StatusOK, map[string]any{
		"openapi":    "3.0.3",
		"info":       map[string]string{"title": "DefectDojo API v2", "version": r.Version},
		"paths":      paths,
		"components": map[string]any{"schemas": schemas(), "securitySchemes": securitySchemes},
		"security":   []any{map[string]any{"tokenAuth": []any{}}, map[string]any{"basicAuth": []any{}}, map[string]any{"cookieAuth": []any{}}},
	})
}

// pathNames are DefectDojo's names of the parts of a path.
var pathNames = strings.NewReplacer(":id", "{id}", ":original", "{new_fid}", ":file", "{file_id}", ":delivery", "{delivery}")

var securitySchemes = map[string]any{
	"tokenAuth": map[string]string{
		"type": "apiKey", "in": "header", "name": "Authorization", "description": `Token-based authentication with required prefix "Token"`,
	},
	"basicAuth":  map[string]string{"type": "http", "scheme": "basic"},
	"cookieAuth": map[string]string{"type": "apiKey", "in": "cookie", "name": "session", "description": "What changes something needs the header X-CSRFToken, which answers tell"},
}

// operation describes a route.
func operation(rt route) map[string]any {
	parts := strings.Split(strings.Trim(rt.path, "/"), "/")
	tag := strings.ReplaceAll(parts[0], "-", "_")
	op := map[string]any{
		"operationId": operationID(rt.method, parts), "tags": []string{tag},
		"responses": map[string]any{"default": map[string]any{
			"description": "", "content": map[string]any{fiber.MIMEApplicationJSON: map[string]any{"schema": map[string]string{"type": "object"}}},
		}},
	}
	var parameters []any
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			name := strings.Trim(pathNames.Replace(p), "{}")
			parameters = append(parameters, map[string]any{"name": name, "in": "path", "required": true, "schema": map[string]string{"type": "integer"}})
			parts[i] = name
		}
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	switch rt.path {
	case "/import-scan":
		op["requestBody"] = body(fiber.MIMEMultipartForm, "ImportScanRequest")
	case "/reimport-scan":
		op["requestBody"] = body(fiber.MIMEMultipartForm, "ReImportScanRequest")
	}
	return op
}

func body(kind, schema string) map[string]any {
	return map[string]any{"required": true, "content": map[string]any{kind: map[string]any{"schema": map[string]string{"$ref": "#/components/schemas/" + schema}}}}
}

// operationID names an operation as code generators of DefectDojo's clients expect.
func operationID(method string, parts []string) string {
	words := slices.DeleteFunc(slices.Clone(parts), func(p string) bool { return strings.HasPrefix(p, ":") })
	item := len(parts) > 1 && strings.HasPrefix(parts[1], ":")
	verb := map[string]string{
		fiber.MethodGet: "list", fiber.MethodPost: "create", fiber.MethodPut: "update", fiber.MethodPatch: "partial_update", fiber.MethodDelete: "destroy",
	}[method]
	if method == fiber.MethodGet && item {
		verb = "retrieve"
	}
	return strings.ReplaceAll(strings.Trim(strings.Join(append(words, verb), "_"), "_"), "-", "_")
}

// schemas are the forms of an import and of a reimport.
func schemas() map[string]any {
	var names []string
	for _, p := range all.Parsers {
		names = append(names, p.ScanType)
	}
	slices.Sort(names)
	text, flag, number := map[string]any{"type": "string"}, map[string]any{"type": "boolean"}, map[string]any{"type": "integer", "nullable": true}
	date := map[string]any{"type": "string", "format": "date"}
	fields := map[string]any{
		"scan_type": map[string]any{"type": "string", "enum": names}, "file": map[string]any{"type": "string", "format": "binary"},
		"minimum_severity": map[string]any{"type": "string", "enum": []string{"Info", "Low", "Medium", "High", "Critical"}},
		"group_by":         map[string]any{"type": "string", "enum": groupings}, "tags": map[string]any{"type": "array", "items": text},
		"scan_date": date, "engagement_end_date": date,
	}
	for _, n := range []string{
		"product_type_name", "product_name", "engagement_name", "test_title", "environment", "version", "build_id", "branch_tag", "commit_hash", "service",
		"source_code_management_uri", "repository", "component",
	} {
		fields[n] = text
	}
	for _, n := range []string{
		"active", "verified", "auto_create_context", "deduplication_on_engagement", "close_old_findings", "close_old_findings_product_scope", "push_to_jira",
		"apply_tags_to_findings", "apply_tags_to_endpoints", "create_finding_groups_for_all_findings", "own_test",
	} {
		fields[n] = flag
	}
	for _, n := range []string{"lead", "endpoint_to_add", "api_scan_configuration", "pull_request"} {
		fields[n] = number
	}
	with := func(more map[string]any) map[string]any {
		properties := map[string]any{}
		maps.Copy(properties, fields)
		maps.Copy(properties, more)
		return map[string]any{"type": "object", "properties": properties, "required": []string{"scan_type"}}
	}
	return map[string]any{
		"ImportScanRequest":   with(map[string]any{"engagement": number}),
		"ReImportScanRequest": with(map[string]any{"test": number, "do_not_reactivate": flag}),
	}
}
