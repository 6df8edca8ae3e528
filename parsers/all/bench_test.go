//go:build unix

package all

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
	"defectdojo/parsers/stream/streamtest"
)

// BenchmarkCorpus reads all real reports whose parser is here, in one process,
// and says how many times less of the processor it takes than DefectDojo's
// parsers took for the same reports.
func BenchmarkCorpus(b *testing.B) {
	type job struct {
		parser parsers.Parser
		report []byte
	}
	var jobs []job
	var size int64
	var python float64
	for _, r := range corpusIndex(b) {
		p, found := ByScanType(r.ScanType)
		if !found || r.Status != "ok" {
			continue
		}
		report, err := os.ReadFile(filepath.Join(corpus, r.Sample))
		if err != nil {
			b.Fatal(err)
		}
		jobs = append(jobs, job{p, report})
		size += int64(len(report))
		python += pythonSeconds(b, r)
	}
	b.SetBytes(size)
	before := cpu(b)
	for b.Loop() {
		for _, j := range jobs {
			if _, err := parsers.Read(b.Context(), j.parser, bytes.NewReader(j.report), parsers.Options{Emit: func(gate.Observation) {}}); err != nil {
				b.Fatal(err)
			}
		}
	}
	took := (cpu(b) - before).Seconds() / float64(b.N)
	b.ReportMetric(float64(len(jobs)), "reports")
	b.ReportMetric(float64(size)/1e6/took, "MB/cpu-s")
	b.ReportMetric(python/took, "times-faster")
}

// pythonSeconds is how long DefectDojo's parser took for a report.
func pythonSeconds(b *testing.B, r corpusReport) float64 {
	b.Helper()
	var e struct {
		Seconds float64 `json:"python_seconds"`
	}
	text, err := os.ReadFile(filepath.Join(corpus, r.Expected))
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		b.Fatal(err)
	}
	return e.Seconds
}

// large are the reports of BenchmarkLarge: their parts, with 9999999 where each
// unit's number stands.
var large = []struct {
	name, scanType      string
	before, unit, after string
}{
	{
		"Trivy", "Trivy Scan",
		`{"SchemaVersion":2,"ArtifactName":"app:1","ArtifactType":"container_image","Results":[{"Target":"app:1 (debian 12)","Class":"os-pkgs","Type":"debian","Vulnerabilities":[{"VulnerabilityID":"CVE-2023-0","PkgName":"a","InstalledVersion":"1","Severity":"LOW"}`,
		`,{"VulnerabilityID":"CVE-2023-9999999","PkgID":"zlib1g@1:1.2.13","PkgName":"zlib1g","PkgIdentifier":{"PURL":"pkg:deb/debian/zlib1g@1.2.13?arch=amd64"},"InstalledVersion":"1:1.2.13","FixedVersion":"1:1.2.13-1","Status":"fixed","Layer":{"DiffID":"sha256:` + strings.Repeat("a1", 32) + `"},"SeveritySource":"nvd","PrimaryURL":"https://avd.example.org/nvd/cve-2023-9999999","DataSource":{"ID":"debian","Name":"Debian Security Tracker","URL":"https://tracker.example.org/"},"Title":"zlib: integer overflow in number 9999999","Description":"` + strings.Repeat("The function does not check the length of what it is given, and writes behind the buffer. ", 6) + `","Severity":"HIGH","CweIDs":["CWE-190","CWE-122"],"VendorSeverity":{"debian":1,"nvd":4},"CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","V3Score":9.8},"redhat":{"V3Vector":"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:L","V3Score":5.3}},"References":["https://lists.example.org/9999999","https://github.com/example/zlib/pull/843","https://security.example.org/advisory/9999999"],"PublishedDate":"2023-10-14T02:15:09.323Z","LastModifiedDate":"2024-01-01T00:00:00Z"}` + "\n",
		`]}]}`,
	},
	{
		"SARIF", "SARIF",
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"ExampleQL","rules":[{"id":"go/sql-injection","shortDescription":{"text":"Query built from what users send"},"help":{"text":"Use parameters."},"properties":{"security-severity":"8.8","tags":["external/cwe/cwe-089"]}}]}},"results":[{"ruleId":"go/sql-injection","message":{"text":"first"}}`,
		`,{"ruleId":"go/sql-injection","ruleIndex":0,"level":"error","message":{"text":"This query depends on a [user-provided value](1), number 9999999."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"shop/f9999999.go","uriBaseId":"%SRCROOT%"},"region":{"startLine":42,"startColumn":9,"endLine":43,"endColumn":30,"snippet":{"text":"rows, err := db.Query(q + r.FormValue(\"id\"))"}}}}],"relatedLocations":[{"id":1,"physicalLocation":{"artifactLocation":{"uri":"shop/http.go"},"region":{"startLine":17}},"message":{"text":"user-provided value"}}],"codeFlows":[{"threadFlows":[{"locations":[{"location":{"physicalLocation":{"artifactLocation":{"uri":"shop/http.go"},"region":{"startLine":17}},"message":{"text":"r.FormValue"}}},{"location":{"physicalLocation":{"artifactLocation":{"uri":"shop/f9999999.go"},"region":{"startLine":42}},"message":{"text":"query"}}}]}]}],"partialFingerprints":{"primaryLocationLineHash":"5a98dafd9999999:1"}}` + "\n",
		`]}]}`,
	},
	{
		"Generic", "Generic Findings Import",
		`{"name":"Pentest","findings":[{"title":"First","severity":"Low","description":"The first."}`,
		`,{"component_name":"component-9999999","component_version":"1.2.3","cwe":79,"description":"9999999. ` + strings.Repeat("The input reaches the query without being checked. ", 16) + `","file_path":"src/module/file9999999.go","line":42,"mitigation":"Raise the component to its newest version.","references":"https://example.org/advisories/9999999","severity":"Critical","static_finding":true,"title":"Weakness 9999999 in a component","vulnerability_ids":["CVE-2024-9999999"]}` + "\n",
		`]}`,
	},
	{
		"ZAP", "ZAP Scan",
		`<?xml version="1.0"?><OWASPZAPReport programName="ZAP" version="2.16.1" generated="Sun, 22 Jun 2025 04:04:14"><site name="https://shop.example.org" host="shop.example.org" port="443" ssl="true"><alerts>`,
		`<alertitem><pluginid>40012</pluginid><alertRef>40012</alertRef><alert>Cross Site Scripting number 9999999</alert><riskcode>3</riskcode><confidence>3</confidence><riskdesc>High (High)</riskdesc><desc>&lt;p&gt;Text of the request comes back in the page as markup.&lt;/p&gt;&lt;p&gt;A visitor&apos;s browser runs it.&lt;/p&gt;</desc><instances>` +
			strings.Repeat(`<instance><uri>https://shop.example.org/search/9999999?q=%3Cscript%3E</uri><method>GET</method><param>q</param><attack>&lt;script&gt;alert(1)&lt;/script&gt;</attack><evidence>&lt;script&gt;</evidence><otherinfo></otherinfo><requestheader>GET https://shop.example.org/search/9999999?q=%3Cscript%3E HTTP/1.1`+"\nHost: shop.example.org\n\n"+`</requestheader><requestbody></requestbody><responseheader>HTTP/1.1 200 OK`+"\nContent-Type: text/html\n\n"+`</responseheader><responsebody>&lt;h1&gt;Results for 9999999&lt;/h1&gt;</responsebody></instance>`, 10) +
			`</instances><count>10</count><solution>&lt;p&gt;Encode what is put into the page.&lt;/p&gt;</solution><reference>&lt;p&gt;https://owasp.org/www-community/attacks/xss/&lt;/p&gt;</reference><cweid>79</cweid><wascid>8</wascid></alertitem>` + "\n",
		`</alerts></site></OWASPZAPReport>`,
	},
	{
		"Burp", "Burp Scan",
		`<?xml version="1.0"?><issues burpVersion="2024.3.1" exportTime="Fri May 03 11:45:49 UTC 2024">`,
		burpIssues(`<issue><serialNumber>9999999</serialNumber><type>10490##</type><name>SQL injection, kind ##</name><host ip="192.0.2.7">https://shop.example.org</host><path><![CDATA[/items/9999999]]></path><location><![CDATA[/items/9999999 [id parameter]]]></location><severity>High</severity><confidence>Firm</confidence><issueBackground><![CDATA[<p>Text of the request becomes part of a query.</p>]]></issueBackground><remediationBackground><![CDATA[<p>Use <b>prepared statements</b>.</p>]]></remediationBackground><vulnerabilityClassifications><![CDATA[<ul><li><a href="https://cwe.mitre.org/data/definitions/89.html">CWE-89: SQL Injection</a></li></ul>]]></vulnerabilityClassifications><issueDetail><![CDATA[The <b>id</b> parameter is put into a query.]]></issueDetail><requestresponse><request method="GET" base64="true"><![CDATA[` +
			base64.StdEncoding.EncodeToString([]byte("GET /items?id=' HTTP/1.1\r\nHost: shop.example.org\r\n\r\n")) + `]]></request><response base64="true"><![CDATA[` + base64.StdEncoding.EncodeToString([]byte("HTTP/1.1 500 Error\r\n\r\n"+strings.Repeat("<p>An error in the query.</p>\n", 100))) + `]]></response><responseRedirected>false</responseRedirected></requestresponse></issue>` + "\n"),
		`</issues>`,
	},
	{
		"CSV", "Tenable Scan",
		"Plugin ID,CVE,CVSS v2.0 Base Score,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output\n",
		`42873,CVE-2016-2183,5.0,High,host9999999.example.org,tcp,443,SSL Medium Strength Cipher Suites Supported (SWEET32),Weak ciphers.,"The host offers ciphers` + "\n" + `of medium strength. An attacker who can listen for long enough may recover parts of the text.",Leave them out.,"https://sweet32.example.org` + "\n" + `https://nvd.example.org/",DES-CBC3-SHA on 9999999` + "\n",
		"",
	},
}

// burpIssues are issues of twenty kinds: a report has many of each.
func burpIssues(issue string) string {
	var all strings.Builder
	for kind := range 20 {
		all.WriteString(strings.ReplaceAll(issue, "##", strconv.Itoa(10+kind)))
	}
	return all.String()
}

// BenchmarkLarge reads reports of 200 MB that are made as they are read. It
// gives the speed per second of the processor, the making of the report
// included, and the greatest heap.
func BenchmarkLarge(b *testing.B) {
	for _, l := range large {
		b.Run(l.name, func(b *testing.B) {
			p, _ := ByScanType(l.scanType)
			r := &streamtest.Repeated{Before: l.before, Unit: l.unit, After: l.after, Mark: "9999999", Times: 200_000_000 / len(l.unit)}
			b.SetBytes(r.Size())
			runtime.GC()
			done, peak := make(chan bool), make(chan uint64)
			go watch(done, peak)
			before, n := cpu(b), 0
			for b.Loop() {
				n = 0
				o := parsers.Options{Limits: stream.Limits{Observations: 10_000_000}, Emit: func(gate.Observation) { n++ }}
				if _, err := parsers.Read(b.Context(), p, r, o); err != nil || n == 0 {
					b.Fatal(n, err)
				}
			}
			took := cpu(b) - before
			close(done)
			b.ReportMetric(float64(r.Size())*float64(b.N)/1e6/took.Seconds(), "MB/cpu-s")
			b.ReportMetric(float64(<-peak)/(1<<20), "MiB-peak")
			b.ReportMetric(float64(n), "findings")
		})
	}
}

// watch sends the greatest heap that it saw until done.
func watch(done <-chan bool, peak chan<- uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	var most uint64
	for {
		metrics.Read(sample)
		most = max(most, sample[0].Value.Uint64())
		select {
		case <-done:
			peak <- most
			return
		case <-tick.C:
		}
	}
}

// cpu is the time that the process has spent on processors.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
