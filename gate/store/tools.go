package store

import (
	"context"

	"defectdojo/gate"
)

// ToolType is a kind of tool: SonarQube, GitHub ….
type ToolType struct {
	ID          int64
	Name        string
	Description string
}

const toolTypeColumns = `id, name, description`

// ToolFilter narrows a list of tool types or tools.
type ToolFilter struct {
	IDs   []int64
	Name  *string
	URL   *string // of tools
	Types []int64 // of tools
	Page
}

// ToolType returns a tool type.
func (s *Store) ToolType(ctx context.Context, id int64) (ToolType, error) {
	return one[ToolType](ctx, s.db, "tool type", `select `+toolTypeColumns+` from tool_types where id = $1`, id)
}

// ToolTypes returns the tool types of f, by ID.
func (s *Store) ToolTypes(ctx context.Context, f ToolFilter) (List[ToolType], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	optional(&w, "name", f.Name)
	return list[ToolType](ctx, s.db, toolTypeColumns, "tool_types", &w, " order by id", f.Page)
}

// AddToolType adds a tool type and returns it with its ID.
func (s *Store) AddToolType(ctx context.Context, t ToolType) (ToolType, error) {
	return one[ToolType](ctx, s.db, "tool type", `insert into tool_types (name, description) values ($1, $2) returning `+toolTypeColumns, t.Name, t.Description)
}

// UpdateToolType writes what a tool type is now.
func (s *Store) UpdateToolType(ctx context.Context, t ToolType) (ToolType, error) {
	return one[ToolType](ctx, s.db, "tool type", `
		update tool_types set name = $2, description = $3 where id = $1 returning `+toolTypeColumns, t.ID, t.Name, t.Description)
}

// DeleteToolType removes a tool type of which there is no tool.
func (s *Store) DeleteToolType(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "tool type", `delete from tool_types where id = $1`, id)
}

// Tool is a tool that products refer to: where it is, without its secrets.
type Tool struct {
	ID                 int64
	Name               string
	Description        string
	URL                string `db:"url"`
	ToolTypeID         int64
	AuthenticationType *string
	Extras             string
	Username           string
}

const toolColumns = `id, name, description, url, tool_type_id, authentication_type, extras, username`

// Tool returns a tool.
func (s *Store) Tool(ctx context.Context, id int64) (Tool, error) {
	return one[Tool](ctx, s.db, "tool", `select `+toolColumns+` from tool_configurations where id = $1`, id)
}

// Tools returns the tools of f, by ID.
func (s *Store) Tools(ctx context.Context, f ToolFilter) (List[Tool], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	optional(&w, "name", f.Name)
	optional(&w, "url", f.URL)
	oneOf(&w, "tool_type_id", f.Types)
	return list[Tool](ctx, s.db, toolColumns, "tool_configurations", &w, " order by id", f.Page)
}

// AddTool adds a tool and returns it with its ID.
func (s *Store) AddTool(ctx context.Context, t Tool) (Tool, error) {
	return one[Tool](ctx, s.db, "tool", `
		insert into tool_configurations (name, description, url, tool_type_id, authentication_type, extras, username)
		values ($1, $2, $3, $4, $5, $6, $7) returning `+toolColumns, t.Name, t.Description, t.URL, t.ToolTypeID, t.AuthenticationType, t.Extras, t.Username)
}

// UpdateTool writes what a tool is now.
func (s *Store) UpdateTool(ctx context.Context, t Tool) (Tool, error) {
	return one[Tool](ctx, s.db, "tool", `
		update tool_configurations set name = $2, description = $3, url = $4, tool_type_id = $5, authentication_type = $6, extras = $7, username = $8
		where id = $1 returning `+toolColumns, t.ID, t.Name, t.Description, t.URL, t.ToolTypeID, t.AuthenticationType, t.Extras, t.Username)
}

// DeleteTool removes a tool, and what products said of it.
func (s *Store) DeleteTool(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "tool", `delete from tool_configurations where id = $1`, id)
}

// ScanConfiguration is what a product is called in a tool.
type ScanConfiguration struct {
	ID          int64
	ProductID   int64
	ToolID      int64   `db:"tool_configuration_id"`
	ServiceKey1 *string `db:"service_key_1"`
	ServiceKey2 *string `db:"service_key_2"`
	ServiceKey3 *string `db:"service_key_3"`
}

const scanConfigurationColumns = `id, product_id, tool_configuration_id, service_key_1, service_key_2, service_key_3`

// ScanConfigurationFilter narrows a list of scan configurations.
type ScanConfigurationFilter struct {
	Scope    gate.Scope
	IDs      []int64
	Products []int64
	Tools    []int64
	Keys     [3]*string
	Page
}

// ScanConfiguration returns a scan configuration of a product in scope.
func (s *Store) ScanConfiguration(ctx context.Context, scope gate.Scope, id int64) (ScanConfiguration, error) {
	var w where
	w.and("id = ?", id)
	w.scope("product_id", scope)
	return one[ScanConfiguration](ctx, s.db, "scan configuration", `select `+scanConfigurationColumns+` from product_api_scan_configurations`+w.sql.String(), w.args...)
}

// ScanConfigurations returns the scan configurations of f, by ID.
func (s *Store) ScanConfigurations(ctx context.Context, f ScanConfigurationFilter) (List[ScanConfiguration], error) {
	var w where
	w.scope("product_id", f.Scope)
	oneOf(&w, "id", f.IDs)
	oneOf(&w, "product_id", f.Products)
	oneOf(&w, "tool_configuration_id", f.Tools)
	for i, column := range []string{"service_key_1", "service_key_2", "service_key_3"} {
		optional(&w, column, f.Keys[i])
	}
	return list[ScanConfiguration](ctx, s.db, scanConfigurationColumns, "product_api_scan_configurations", &w, " order by id", f.Page)
}

// AddScanConfiguration adds a scan configuration and returns it with its ID.
func (s *Store) AddScanConfiguration(ctx context.Context, c ScanConfiguration) (ScanConfiguration, error) {
	return one[ScanConfiguration](ctx, s.db, "scan configuration", `
		insert into product_api_scan_configurations (product_id, tool_configuration_id, service_key_1, service_key_2, service_key_3)
		values ($1, $2, $3, $4, $5) returning `+scanConfigurationColumns, c.ProductID, c.ToolID, c.ServiceKey1, c.ServiceKey2, c.ServiceKey3)
}

// UpdateScanConfiguration writes what a scan configuration is now; it stays with its product.
func (s *Store) UpdateScanConfiguration(ctx context.Context, c ScanConfiguration) (ScanConfiguration, error) {
	return one[ScanConfiguration](ctx, s.db, "scan configuration", `
		update product_api_scan_configurations set tool_configuration_id = $2, service_key_1 = $3, service_key_2 = $4, service_key_3 = $5
		where id = $1 returning `+scanConfigurationColumns, c.ID, c.ToolID, c.ServiceKey1, c.ServiceKey2, c.ServiceKey3)
}

// DeleteScanConfiguration removes a scan configuration.
func (s *Store) DeleteScanConfiguration(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "scan configuration", `delete from product_api_scan_configurations where id = $1`, id)
}
