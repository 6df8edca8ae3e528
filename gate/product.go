package gate

import "time"

// ProductType groups products: a team, a department, an organization.
type ProductType struct {
	ID              int64
	Name            string
	Description     string
	CriticalProduct bool
	KeyProduct      bool
	Created         time.Time
	Updated         time.Time
}

// Product is what is scanned, released and judged: a service, an application, a repository.
type Product struct {
	ID                            int64
	Name                          string
	Description                   string
	ProdTypeID                    int64
	ProductManagerID              *int64
	TechnicalContactID            *int64
	TeamManagerID                 *int64
	SLAConfigurationID            int64
	ProdNumericGrade              *int32
	BusinessCriticality           *string
	Platform                      *string
	Lifecycle                     *string
	Origin                        *string
	UserRecords                   *int64
	Revenue                       *string // a decimal, as text
	ExternalAudience              bool
	InternetAccessible            bool
	EnableProductTagInheritance   bool
	EnableSimpleRiskAcceptance    bool
	EnableFullRiskAcceptance      bool
	DisableSLABreachNotifications bool
	AsyncUpdating                 bool
	Regulations                   []int64
	Tags                          []string
	Created                       time.Time
	Updated                       time.Time
}

// Engagement is a period or a line of work in which a product is tested: a
// pipeline's branch, a release, a penetration test.
type Engagement struct {
	ID                        int64
	ProductID                 int64
	Name                      string
	Description               *string
	Version                   *string
	FirstContacted            *time.Time
	TargetStart               time.Time // a day
	TargetEnd                 time.Time // a day
	LeadID                    *int64
	RequesterID               *int64
	PresetID                  *int64
	Reason                    *string
	Active                    bool
	Tracker                   *string
	TestStrategy              *string
	ThreatModel               bool
	APITest                   bool
	PenTest                   bool
	CheckList                 bool
	Progress                  string
	TmodelPath                string
	DoneTesting               bool
	Status                    string
	EngagementType            string
	BuildID                   *string
	CommitHash                *string
	BranchTag                 *string
	SourceCodeManagementURI   *string `db:"source_code_management_uri"`
	CICDBuildServerID         *int64  `db:"cicd_build_server_id"`
	CICDScmServerID           *int64  `db:"cicd_scm_server_id"`
	CICDOrchestrationEngineID *int64  `db:"cicd_orchestration_engine_id"`
	DeduplicationOnEngagement bool
	Tags                      []string
	InheritedTags             []string
	Created                   time.Time
	Updated                   time.Time
}

// TestType is a scan type, or the kind of a manual test.
type TestType struct {
	ID                   int64
	Name                 string
	StaticTool           bool
	DynamicTool          bool
	Active               bool
	DynamicallyGenerated bool
}

// Test is one scanner's place in an engagement: reports are imported into it
// again and again.
type Test struct {
	ID                     int64
	EngagementID           int64
	ProductID              int64
	TestTypeID             int64
	ScanType               *string
	Title                  *string
	Description            *string
	LeadID                 *int64
	TargetStart            time.Time
	TargetEnd              time.Time
	PercentComplete        *int32
	EnvironmentID          *int64
	Version                *string
	BuildID                *string
	CommitHash             *string
	BranchTag              *string
	APIScanConfigurationID *int64 `db:"api_scan_configuration_id"`
	Tags                   []string
	InheritedTags          []string
	Sequence               int64
	Created                time.Time
	Updated                time.Time
}
