// Package trivy_operator reads the custom resources in which the Trivy Operator
// keeps what it found in a Kubernetes cluster.
//
// Made by "kubectl get vulnerabilityreports,configauditreports,exposedsecretreports -A -o json".
// The report is a list of resources, an array of them, one of them, or an object
// of arrays by kind:
//
//	{"kind": "List", "items": [{"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "VulnerabilityReport",
//	  "metadata": {"labels": {"trivy-operator.resource.namespace": "default", "trivy-operator.resource.kind": "ReplicaSet", …}},
//	  "report": {"scanner": {"version": "0.48.3"}, "vulnerabilities": [{"vulnerabilityID": "CVE-…", "resource": "curl", …}],
//	    "checks": […], "secrets": […], "components": {"components": […]}}}]}
//
// A ClusterComplianceReport has its checks under status.detailReport.results.
// Checks with "success": true are not findings.
package trivy_operator

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the Trivy Operator's resources.
var Parsers = []parsers.Parser{{
	Name:     "trivy_operator",
	ScanType: "Trivy Operator Scan",
	Files:    "JSON",
	Command:  "kubectl get vulnerabilityreports,configauditreports,exposedsecretreports,rbacassessmentreports -A -o json > reports.json",
	URL:      "https://aquasecurity.github.io/trivy-operator/latest/docs/crds/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	const group = "aquasecurity.github.io/"
	for _, path := range []string{"apiVersion", "[].apiVersion", "items[].apiVersion"} {
		if strings.HasPrefix(s.Value(path), group) {
			return parsers.Sure
		}
	}
	if s.Contains(`"apiVersion"`, group) || s.Contains(`reports.aquasecurity.github.io"`) {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Trivy Operator"
	known, foreign := false, false
	each := stream.Each(func(r resource) error {
		known, foreign = known || r.ours(), foreign || !r.ours()
		r.emit(out)
		return nil
	})
	err := stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': each,
		'{': func(d *stream.Decoder) error {
			var one resource
			fields := map[string]stream.Value{
				"apiVersion": stream.Into(&one.APIVersion), "kind": stream.Into(&one.Kind), "metadata": stream.Into(&one.Metadata),
				"report": stream.Into(&one.Report), "spec": stream.Into(&one.Spec), "status": stream.Into(&one.Status),
				"items": each,
			}
			err := stream.Entries(func(key string, d *stream.Decoder) error {
				if read, ok := fields[key]; ok {
					return read(d)
				}
				if strings.HasSuffix(key, ".aquasecurity.github.io") && d.PeekKind() == '[' {
					known = true
					return each(d)
				}
				return stream.Skip(d)
			})(d)
			known = known || one.ours() || one.Kind == "List" && !foreign
			one.emit(out)
			return err
		},
	}))
	if err == nil && !known {
		return stream.Errorf("there is no resource of the group aquasecurity.github.io")
	}
	return err
}

// resource is one of the operator's custom resources; etcd keeps it under 2 MB.
type resource struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Report struct {
		Updated string `json:"updateTimestamp"`
		Scanner struct {
			Version stream.Text `json:"version"`
		} `json:"scanner"`
		Artifact struct {
			Repository string `json:"repository"`
			Tag        string `json:"tag"`
		} `json:"artifact"`
		Vulnerabilities []vulnerability `json:"vulnerabilities"`
		Checks          []check         `json:"checks"`
		Secrets         []secret        `json:"secrets"`
		Components      struct {
			Components []component `json:"components"`
		} `json:"components"`
	} `json:"report"`
	Spec struct {
		Compliance stream.Lenient[struct {
			Controls []control `json:"controls"`
		}] `json:"compliance"`
	} `json:"spec"`
	Status struct {
		Updated string `json:"updateTimestamp"`
		Summary struct {
			Failed stream.Int `json:"failCount"`
		} `json:"summary"`
		Controls struct {
			List []controlCheck `json:"controlCheck"`
		} `json:"summaryReport"`
		Detail struct {
			Description string    `json:"description"`
			Title       string    `json:"title"`
			Results     []control `json:"results"`
		} `json:"detailReport"`
	} `json:"status"`
}

// ours tells whether the resource is the operator's.
func (r resource) ours() bool { return strings.HasPrefix(r.APIVersion, "aquasecurity.github.io/") }

func (r resource) emit(out *parsers.Report) {
	run := out.Run()
	run.Version = parsers.First(string(r.Report.Scanner.Version), run.Version)
	for _, s := range []string{r.Report.Updated, r.Status.Updated} {
		if t := parsers.ParseTime(s); t.After(run.FinishedAt) {
			run.FinishedAt = t
		}
	}
	p := r.place()
	for _, c := range r.Report.Checks {
		if !c.Success {
			out.Emit(c.observation(p))
		}
	}
	for _, v := range r.Report.Vulnerabilities {
		out.Emit(v.observation(p))
	}
	for _, s := range r.Report.Secrets {
		out.Emit(s.observation(p))
	}
	for _, c := range r.Status.Detail.Results {
		for _, k := range c.Checks {
			if !k.Success {
				out.Emit(c.observation(k, r.Status.Detail.Title, r.Status.Detail.Description))
			}
		}
	}
	r.emitSummary(out)
	for _, c := range r.Report.Components.Components {
		out.Component(gate.Component{Name: c.Name, Version: c.Version, PURL: c.PURL, Path: p.service()})
	}
}

// component is one of an SBOM.
type component struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

// place is the Kubernetes resource that a report is about.
type place struct {
	namespace, kind, name, container, image string
}

func (r resource) place() place {
	label := func(name string) string { return r.Metadata.Labels["trivy-operator."+name] }
	image := r.Report.Artifact.Repository
	if image != "" && r.Report.Artifact.Tag != "" {
		image += ":" + r.Report.Artifact.Tag
	}
	return place{label("resource.namespace"), label("resource.kind"), label("resource.name"), label("container.name"), image}
}

// service names the place: "namespace/kind/name/container".
func (p place) service() string {
	s := ""
	for _, part := range []string{p.namespace, p.kind, p.name, p.container} {
		if part != "" && s != "" {
			s += "/"
		}
		s += part
	}
	return s
}

// tell adds the facts about the place.
func (p place) tell(t *parsers.Text) *parsers.Text {
	return t.Fact("Namespace", p.namespace).Fact(parsers.First(p.kind, "Resource"), p.name).Fact("Container", p.container).Fact("Image", p.image)
}
