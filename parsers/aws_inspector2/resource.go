package aws_inspector2

import (
	"strings"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// resource is what a finding is about.
type resource struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Region  string `json:"region"`
	Details struct {
		Image struct {
			Registry   string      `json:"registry"`
			Repository string      `json:"repositoryName"`
			Hash       string      `json:"imageHash"`
			Author     string      `json:"author"`
			Platform   string      `json:"platform"`
			PushedAt   stream.Text `json:"pushedAt"`
			Tags       []string    `json:"imageTags"`
		} `json:"awsEcrContainerImage"`
		Instance struct {
			Image    string      `json:"imageId"`
			Platform string      `json:"platform"`
			Kind     string      `json:"type"`
			VPC      string      `json:"vpcId"`
			Subnet   string      `json:"subnetId"`
			Launched stream.Text `json:"launchedAt"`
			IPv4     []string    `json:"ipV4Addresses"`
			IPv6     []string    `json:"ipV6Addresses"`
		} `json:"awsEc2Instance"`
		Function struct {
			Name     string      `json:"functionName"`
			Version  string      `json:"version"`
			Runtime  string      `json:"runtime"`
			Hash     string      `json:"codeSha256"`
			Modified stream.Text `json:"lastModifiedAt"`
			Layers   []string    `json:"layers"`
		} `json:"awsLambdaFunction"`
		Repository struct {
			Name     string `json:"projectName"`
			Provider string `json:"providerType"`
			Commit   string `json:"lastScannedCommitId"`
		} `json:"codeRepository"`
	} `json:"details"`
}

// The resources that Inspector scans.
const (
	image    = "AWS_ECR_CONTAINER_IMAGE"
	instance = "AWS_EC2_INSTANCE"
	function = "AWS_LAMBDA_FUNCTION"
)

// tell describes the resource.
func (r resource) tell(t *parsers.Text) {
	t.Fact("Resource", r.ID).Fact("Region", r.Region)
	switch d := r.Details; r.Type {
	case image:
		t.Fact("Registry", d.Image.Registry).Fact("Repository", d.Image.Repository).Fact("Digest", d.Image.Hash).Fact("Author", d.Image.Author).
			Fact("Platform", d.Image.Platform).Fact("Pushed", string(d.Image.PushedAt)).Facts("Tags", d.Image.Tags)
	case instance:
		t.Fact("Machine image", d.Instance.Image).Fact("Platform", d.Instance.Platform).Fact("Kind of instance", d.Instance.Kind).
			Fact("VPC", d.Instance.VPC).Fact("Subnet", d.Instance.Subnet).Fact("Launched", string(d.Instance.Launched)).
			Facts("Addresses", append(d.Instance.IPv4, d.Instance.IPv6...))
	case function:
		t.Fact("Function", d.Function.Name).Fact("Version", d.Function.Version).Fact("Runtime", d.Function.Runtime).
			Fact("Digest", d.Function.Hash).Fact("Changed", string(d.Function.Modified)).Facts("Layers", d.Function.Layers)
	default:
		t.Fact("Kind", r.Type).Fact("Project", d.Repository.Name).Fact("Provider", d.Repository.Provider).Fact("Commit", d.Repository.Commit)
	}
}

// endpoint names a host by its resource, as it has no name of its own.
func (r resource) endpoint() string {
	name := r.ID
	switch d := r.Details; {
	case r.Type == image && d.Image.Repository != "":
		name = d.Image.Repository + "-" + strings.TrimPrefix(d.Image.Hash, "sha256:")
	case r.Type == function && d.Function.Name != "":
		name = d.Function.Name + "-" + d.Function.Version
	}
	return strings.ToLower(strings.NewReplacer(":", "_", "/", "_", " ", "_").Replace(name))
}
