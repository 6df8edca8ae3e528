// Package trivy reads the JSON report of Trivy, the scanner of images, file
// systems, repositories and Kubernetes clusters.
//
// Made by "trivy image --format json --output trivy.json IMAGE", or with fs,
// repo, config, rootfs, sbom, vm or k8s in place of image. The report is
//
//	{"SchemaVersion": 2, "ArtifactName": "app:1", "ArtifactType": "container_image",
//	 "Results": [{"Target": "app:1 (debian 12)", "Class": "os-pkgs", "Type": "debian",
//	   "Packages": […], "Vulnerabilities": [{"VulnerabilityID": "CVE-…", "PkgName": "apt",
//	     "InstalledVersion": "1.8.2", "FixedVersion": "", "Severity": "LOW", "CVSS": {"nvd": {"V3Vector": "…"}}}],
//	   "Misconfigurations": [{"ID": "DS002", "Status": "FAIL", …}], "Secrets": […], "Licenses": […]}]}
//
// Before schema 2 it was the array of results alone, and "null" when there were
// none. "trivy k8s" wraps the results in resources: {"ClusterName": "…",
// "Resources": [{"Namespace": "…", "Kind": "…", "Name": "…", "Results": […]}]};
// before 0.41 these were in "Vulnerabilities" and "Misconfigurations". Compliance
// reports hold results in results.
//
// Checks that passed, which --include-non-failures adds, are not findings. What
// .trivyignore or a VEX document suppresses stands in "ExperimentalModifiedFindings"
// of a result: these findings are kept, not active, with who suppressed them.
package trivy

import (
	"cmp"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Trivy's JSON.
var Parsers = []parsers.Parser{{
	Name:     "trivy",
	ScanType: "Trivy Scan",
	Files:    "JSON",
	Command:  "trivy image --format json --output trivy.json IMAGE",
	URL:      "https://trivy.dev/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("SchemaVersion", "ArtifactName"), s.Has("ClusterName", "Resources"), s.Has("Trivy.Version"),
		s.Has("ClusterName", "Vulnerabilities") || s.Has("ClusterName", "Misconfigurations") || s.Has("ClusterName", "Findings"):
		return parsers.Sure
	case s.Has("[].Target", "[].Vulnerabilities"), s.Has("Results[].Target", "Results[].Class"):
		return parsers.Likely
	case s.Has("Results[].Results[].Target"), s.Is("null"):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Trivy"
	results := stream.Array(result(out, ""))
	resources := stream.Array(resource(out))
	known := false
	is := func(v stream.Value) stream.Value {
		return func(d *stream.Decoder) error { known = true; return v(d) }
	}
	err := stream.JSON(in, stream.ByKind(stream.Kinds{
		'n': is(stream.Skip),
		'[': is(results),
		'{': stream.Object(stream.Fields{
			"SchemaVersion": is(stream.Skip),
			"ArtifactName":  is(text(&run.Target)),
			"CreatedAt": stream.One(func(s stream.Text) error {
				run.FinishedAt = parsers.ParseTime(string(s))
				return nil
			}),
			"Trivy": stream.One(func(v struct {
				Version stream.Text `json:"Version"`
			},
			) error {
				run.Version = string(v.Version)
				return nil
			}),
			"Metadata": stream.One(func(m stream.Lenient[metadata]) error {
				run.Revision = parsers.First(m.Value.Commit, m.Value.ImageID)
				return nil
			}),
			"Results":           is(results),
			"ClusterName":       is(text(&run.Target)),
			"Resources":         is(resources),
			"Findings":          is(resources),
			"Vulnerabilities":   is(resources),
			"Misconfigurations": is(resources),
		}),
	}))
	if err == nil && !known {
		return stream.Errorf(`there is none of "SchemaVersion", "ArtifactName", "Results" and "ClusterName"`)
	}
	return err
}

// text reads a scalar into *p.
func text(p *string) stream.Value {
	return stream.One(func(s stream.Text) error { *p = string(s); return nil })
}

type metadata struct {
	ImageID string `json:"ImageID"`
	Commit  string `json:"Commit"`
}

// resource reads one resource of a cluster.
func resource(out *parsers.Report) stream.Value {
	return func(d *stream.Decoder) error {
		var namespace, kind, name string
		return stream.Object(stream.Fields{
			"Namespace": text(&namespace),
			"Kind":      text(&kind),
			"Name":      text(&name),
			"Error": stream.One(func(s stream.Text) error {
				if s != "" {
					out.Problem("%s: %s", join(namespace, kind, name), s)
				}
				return nil
			}),
			"Results": func(d *stream.Decoder) error {
				return stream.Array(result(out, join(namespace, kind, name)))(d)
			},
		})(d)
	}
}

// join names a resource of a cluster by its parts.
func join(parts ...string) string {
	s := ""
	for _, p := range parts {
		if p != "" && s != "" {
			s += " / "
		}
		s += p
	}
	return s
}

// target is what a result is about.
type target struct {
	name, class, kind string
	service           string
}

// result reads one result. Trivy writes the target first; should a tool have
// sorted the keys, what stands before the target waits for it.
func result(out *parsers.Report, service string) stream.Value {
	return func(d *stream.Decoder) error {
		t := target{service: service}
		named := false
		var waiting []func()
		var failed error
		do := func(f func()) {
			if named {
				f()
			} else {
				waiting = append(waiting, f)
			}
		}
		err := stream.Object(stream.Fields{
			"Target": func(d *stream.Decoder) error { named = true; return text(&t.name)(d) },
			"Class":  text(&t.class),
			"Type":   text(&t.kind),
			"Packages": stream.Each(func(p pkg) error {
				do(func() { out.Component(p.component(t)) })
				return nil
			}),
			"Vulnerabilities": stream.Each(func(v vulnerability) error {
				do(func() { out.Emit(v.observation(t)) })
				return nil
			}),
			"Misconfigurations": stream.Each(func(m misconfiguration) error {
				do(func() {
					if m.failed() {
						out.Emit(m.observation(t))
					}
				})
				return nil
			}),
			"Secrets": stream.Each(func(s secret) error {
				do(func() { out.Emit(s.observation(t)) })
				return nil
			}),
			"Licenses": stream.Each(func(l license) error {
				do(func() { out.Emit(l.observation(t)) })
				return nil
			}),
			"ExperimentalModifiedFindings": stream.Each(func(m modified) error {
				do(func() {
					o, known, err := m.observation(t)
					if known && err == nil {
						out.Emit(o)
					}
					failed = cmp.Or(failed, err)
				})
				return failed
			}),
			"Results": stream.Array(func(d *stream.Decoder) error { return result(out, service)(d) }),
		})(d)
		for _, f := range waiting {
			f()
		}
		return cmp.Or(err, failed)
	}
}
