package sysdig_reports

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

func parseJSON(in *stream.Input, out *parsers.Report) error {
	known := false
	data := func(v stream.Value) stream.Value {
		return func(d *stream.Decoder) error { known = true; return v(d) }
	}
	old := data(stream.Each(func(r record) error { return emit(out, r.vulnerability()) }))
	table := data(stream.Each(func(r tableRow) error { return emit(out, r.vulnerability()) }))
	err := stream.JSON(in, stream.Object(stream.Fields{
		"data":   old,
		"panels": stream.Array(stream.Object(stream.Fields{"data": table})),
	}))
	if err == nil && !known {
		return stream.Errorf(`there is neither "data" nor a panel with it`)
	}
	return err
}

func emit(out *parsers.Report, v vulnerability) error {
	if v.id == "" {
		return stream.Errorf("a record has no vulnerability")
	}
	o := v.observation()
	o.Title = v.id + "_" + v.fixed
	o.Analysis = gate.Both
	if o.Mitigation == "" {
		o.Mitigation = "Sysdig knows of no version that fixes it."
	}
	out.Emit(o)
	return nil
}

type record struct {
	Image       string      `json:"imagePullString"`
	ImageID     string      `json:"imageId"`
	OS          string      `json:"osName"`
	Cluster     string      `json:"k8sClusterName"`
	Namespace   string      `json:"k8sNamespaceName"`
	Workload    string      `json:"k8sWorkloadName"`
	Kind        string      `json:"k8sWorkloadType"`
	Container   string      `json:"k8sPodContainerName"`
	Vuln        string      `json:"vulnName"`
	Severity    string      `json:"vulnSeverity"`
	Link        string      `json:"vulnLink"`
	CVSSVersion stream.Text `json:"vulnCvssVersion"`
	CVSSScore   stream.Text `json:"vulnCvssScore"`
	CVSSVector  stream.Text `json:"vulnCvssVector"`
	Published   stream.Text `json:"vulnDisclosureDate"`
	Exploit     stream.Text `json:"vulnExploitable"`
	Fixed       stream.Text `json:"vulnFixVersion"`
	Package     string      `json:"packageName"`
	PackageKind string      `json:"packageType"`
	Path        string      `json:"packagePath"`
	Version     stream.Text `json:"packageVersion"`
	Suggested   stream.Text `json:"packageSuggestedFix"`
}

func (r record) vulnerability() vulnerability {
	return vulnerability{
		id: r.Vuln, severity: r.Severity, link: r.Link, published: string(r.Published), fixed: string(r.Fixed),
		cvssVersion: string(r.CVSSVersion), cvssScore: string(r.CVSSScore), cvssVector: string(r.CVSSVector), exploit: string(r.Exploit),
		pkg: r.Package, version: string(r.Version), kind: r.PackageKind, path: r.Path, suggested: string(r.Suggested),
		image: r.Image, os: r.OS, imageID: r.ImageID,
		cluster: r.Cluster, namespace: r.Namespace, workload: r.Workload, workloadKind: r.Kind, container: r.Container,
	}
}

type tableRow struct {
	Image       string      `json:"container_image"`
	ImageID     string      `json:"container_image_id"`
	OS          string      `json:"container_image_distro"`
	Cluster     string      `json:"kubernetes_cluster_name"`
	Namespace   string      `json:"kubernetes_namespace_name"`
	Workload    string      `json:"kubernetes_workload_name"`
	Kind        string      `json:"kubernetes_workload_type"`
	Container   string      `json:"kubernetes_pod_container_name"`
	Vuln        string      `json:"vuln_id"`
	Severity    string      `json:"vuln_severity"`
	Link        string      `json:"vuln_link"`
	CVSSVersion stream.Text `json:"vuln_cvss_version"`
	CVSSScore   stream.Text `json:"vuln_cvss_score"`
	CVSSVector  stream.Text `json:"vuln_cvss_vector"`
	Published   stream.Text `json:"vuln_disclosure_date"`
	Exploit     stream.Text `json:"vuln_has_exploit"`
	KEV         stream.Text `json:"vuln_cisa_kev_publish_date"`
	Fixed       stream.Text `json:"vuln_fixed_in_version"`
	Package     string      `json:"scan_package_name"`
	PackageKind string      `json:"scan_package_type"`
	Path        string      `json:"scan_package_path"`
	Version     stream.Text `json:"scan_package_version"`
	InUse       stream.Text `json:"scan_package_in_use"`
}

func (r tableRow) vulnerability() vulnerability {
	return vulnerability{
		id: r.Vuln, severity: r.Severity, link: r.Link, published: string(r.Published), fixed: string(r.Fixed), kev: string(r.KEV),
		cvssVersion: string(r.CVSSVersion), cvssScore: string(r.CVSSScore), cvssVector: string(r.CVSSVector), exploit: string(r.Exploit),
		pkg: r.Package, version: string(r.Version), kind: r.PackageKind, path: r.Path, inUse: string(r.InUse),
		image: r.Image, os: r.OS, imageID: r.ImageID,
		cluster: r.Cluster, namespace: r.Namespace, workload: r.Workload, workloadKind: r.Kind, container: r.Container,
	}
}
