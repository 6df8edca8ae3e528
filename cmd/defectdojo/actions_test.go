package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// step is one shell step of a CI as its file has it, with the environment that
// the CI would make of the inputs.
type step struct {
	shell []string // the program that is given the script's file
	run   string
	env   map[string]string // with the CI's own variables
}

// ciFile is one of the files under actions: what makes its step of inputs.
type ciFile struct {
	name   string
	commit string // the variable that holds it
	step   func(t *testing.T, inputs map[string]string) step
}

var ciFiles = []ciFile{
	{"github", "GITHUB_SHA", githubStep}, {"gitlab", "CI_COMMIT_SHA", gitlabStep}, {"azure", "BUILD_SOURCEVERSION", azureStep}, {"jenkins", "GIT_COMMIT", jenkinsStep},
}

func actionFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "actions", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeYAML(t *testing.T, b []byte, into any) {
	t.Helper()
	if err := yaml.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// fill puts inputs where a CI would. An unknown name is a mistake of the file.
func fill(t *testing.T, pattern *regexp.Regexp, text string, values map[string]string) string {
	t.Helper()
	return pattern.ReplaceAllStringFunc(text, func(m string) string {
		v, ok := values[pattern.FindStringSubmatch(m)[1]]
		if !ok {
			t.Errorf("%s is no input", m)
		}
		return v
	})
}

func withDefaults(t *testing.T, defaults, inputs map[string]string) map[string]string {
	t.Helper()
	all := maps.Clone(defaults)
	for k, v := range inputs {
		if _, known := all[k]; !known {
			t.Errorf("%s is no input", k)
		}
		all[k] = v
	}
	return all
}

var githubExpression = regexp.MustCompile(`\$\{\{ *(?:inputs\.)?([a-z0-9._-]+) *\}\}`)

// githubStep reads action.yml as GitHub's runner does. Its bash is
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#defaultsrunshell
func githubStep(t *testing.T, inputs map[string]string) step {
	t.Helper()
	var a struct {
		Inputs  map[string]struct{ Default string }
		Outputs map[string]struct{ Value string }
		Runs    struct {
			Using string
			Steps []struct {
				ID, Shell, Run string
				Env            map[string]string
			}
		}
	}
	decodeYAML(t, actionFile(t, "github/action.yml"), &a)
	if a.Runs.Using != "composite" || len(a.Runs.Steps) != 1 || a.Runs.Steps[0].Shell != "bash" {
		t.Fatalf("%+v", a.Runs)
	}
	s := a.Runs.Steps[0]
	defaults := map[string]string{"github.action_path": filepath.Join(mustAbs(t, "../.."), "actions", "github")}
	for name, in := range a.Inputs {
		defaults[name] = in.Default
	}
	values := withDefaults(t, defaults, inputs)
	temp := t.TempDir()
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF_NAME": "main", "GITHUB_SHA": strings.Repeat("a", 40), "GITHUB_RUN_ID": "77", "GITHUB_EVENT_NAME": "push",
		"RUNNER_TEMP": temp, "RUNNER_OS": "Linux", "GITHUB_OUTPUT": filepath.Join(temp, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"),
	}
	for k, v := range s.Env {
		env[k] = fill(t, githubExpression, v, values)
	}
	for name, o := range a.Outputs {
		if !strings.Contains(o.Value, "steps.gate.outputs."+name) {
			t.Errorf("output %s is %s", name, o.Value)
		}
	}
	return step{[]string{"bash", "--noprofile", "--norc", "-eo", "pipefail"}, s.Run, env}
}

var gitlabInput = regexp.MustCompile(`\$\[\[ *inputs\.([a-z0-9-]+) *\]\]`)

// gitlabStep reads the component's two documents.
func gitlabStep(t *testing.T, inputs map[string]string) step {
	t.Helper()
	head, body, ok := bytes.Cut(actionFile(t, "gitlab/template.yml"), []byte("\n---\n"))
	if !ok {
		t.Fatal("no second document")
	}
	var spec struct {
		Spec struct {
			Inputs map[string]struct{ Default string }
		}
	}
	decodeYAML(t, head, &spec)
	defaults := map[string]string{}
	for name, in := range spec.Spec.Inputs {
		defaults[name] = in.Default
	}
	values := withDefaults(t, defaults, inputs)
	var jobs map[string]struct {
		IDTokens  map[string]struct{ Aud string } `yaml:"id_tokens"`
		Variables map[string]string
		Script    []string
	}
	decodeYAML(t, body, &jobs)
	job := jobs["$[[ inputs.job-name ]]"]
	env := map[string]string{
		"GITLAB_CI": "true", "CI_PROJECT_PATH": "acme/shop", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_SHA": strings.Repeat("a", 40), "CI_PIPELINE_ID": "77", "CI_PIPELINE_SOURCE": "push",
	}
	for k, v := range job.Variables {
		env[k] = fill(t, gitlabInput, v, values)
	}
	if fill(t, gitlabInput, job.IDTokens["DD_ID_TOKEN"].Aud, values) != values["url"] {
		t.Error("the identity is for somebody else")
	}
	return step{[]string{"sh", "-e"}, strings.Join(job.Script, "\n"), env}
}

var azureParameter = regexp.MustCompile(`\$\{\{ *parameters\.([A-Za-z0-9]+) *\}\}`)

// azureNames are the template's names of the inputs that the others spell with dashes.
var azureNames = map[string]string{"uploader-path": "uploader", "product-type": "productType", "scan-type": "scanType", "minimum-severity": "minimumSeverity", "exit-zero": "exitZero"}

func azureStep(t *testing.T, inputs map[string]string) step {
	t.Helper()
	var f struct {
		Parameters []struct{ Name, Default string }
		Steps      []struct {
			Bash string
			Env  map[string]string
		}
	}
	decodeYAML(t, actionFile(t, "azure/template.yml"), &f)
	defaults := map[string]string{}
	for _, p := range f.Parameters {
		defaults[p.Name] = p.Default
	}
	renamed := map[string]string{}
	for k, v := range inputs {
		if n, ok := azureNames[k]; ok {
			k = n
		}
		renamed[k] = v
	}
	values := withDefaults(t, defaults, renamed)
	env := map[string]string{
		"TF_BUILD": "True", "BUILD_REPOSITORY_NAME": "acme/shop", "BUILD_SOURCEBRANCH": "refs/heads/main", "BUILD_SOURCEVERSION": strings.Repeat("a", 40), "BUILD_BUILDID": "77",
		"AGENT_TEMPDIRECTORY": t.TempDir(),
	}
	for k, v := range f.Steps[0].Env {
		env[k] = fill(t, azureParameter, v, values)
	}
	return step{[]string{"bash", "--noprofile", "--norc"}, f.Steps[0].Bash, env}
}

var jenkinsScript = regexp.MustCompile(`(?s)sh '''\n(.*?)'''`)

// jenkinsStep takes the gate's script out of the Jenkinsfile; Jenkins runs it with sh -xe.
func jenkinsStep(t *testing.T, inputs map[string]string) step {
	t.Helper()
	m := jenkinsScript.FindSubmatch(actionFile(t, "jenkins/Jenkinsfile"))
	if m == nil {
		t.Fatal("no script")
	}
	env := map[string]string{"JENKINS_URL": "https://jenkins.example.org", "JOB_BASE_NAME": "shop", "BRANCH_NAME": "main", "GIT_COMMIT": strings.Repeat("a", 40), "BUILD_NUMBER": "77", "DD_REPORTS_DIR": "defectdojo"}
	for k, v := range inputs {
		switch k {
		case "reports":
			env["GATE_REPORTS"] = v
		case "uploader-path":
			env["GATE_UPLOADER"] = v
		default:
			env["DD_"+strings.ToUpper(strings.ReplaceAll(k, "-", "_"))] = v
		}
	}
	return step{[]string{"sh", "-xe"}, string(m[1]), env}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// do runs a step in a folder of its own, which holds the reports, and returns
// its exit code, what it said and the folder.
func (s step) do(t *testing.T, reports map[string]string, env ...string) (code int, said, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, from := range reports {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join(t.TempDir(), "step.sh")
	if err := os.WriteFile(script, []byte(s.run), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(s.shell[0], append(s.shell[1:], script)...)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...)
	for k, v := range s.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, _ := cmd.CombinedOutput() // its code is what counts
	return cmd.ProcessState.ExitCode(), string(out), dir
}

// outputsOf reads a file of name=value lines; the last value of a name counts.
func outputsOf(t *testing.T, path string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			t.Errorf("%s: not an output: %q", path, line)
		}
		out[name] = value
	}
	return out
}

// hostile are texts that a shell, a runner or the uploader could take for more
// than a text.
var hostile = []string{
	`$(touch pwned)`, "`touch pwned`", `"; touch pwned; "`, `'; touch pwned; '`, `' "$(touch pwned)" '`, `x && touch pwned`, `x; touch pwned #`, `x | touch pwned`, `${IFS}touch${IFS}pwned`,
	`--url=http://127.0.0.1:1`, `-h`, `$DD_TOKEN`, `\$(touch pwned)\`, `::error::x`, `##vso[task.setvariable variable=x]y`, `%0a::set-output`, `*`, `~`, `!!`, `a b  c`, `é🦊`, `<script>alert(1)</script>`,
	"END\ntouch pwned\nEND", "line\nverdict=pass", "line\r\ntouch pwned",
}

// TestActions runs the scripts of all files under actions, as they stand there,
// with their own shells, against a server.
func TestActions(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	srv := h.start()
	token := tokenIn.FindStringSubmatch(srv.welcome)[1]
	upload := filepath.Join(bin, "defectdojo-upload")

	for _, f := range ciFiles {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			commit := 0
			do := func(inputs map[string]string, reports map[string]string) (int, string, string, step) {
				t.Helper()
				in := maps.Clone(inputs)
				for k, v := range map[string]string{"url": srv.site, "uploader-path": upload} {
					if _, ok := in[k]; !ok {
						in[k] = v
					}
				}
				s := f.step(t, in)
				commit++
				s.env[f.commit] = fmt.Sprintf("%040x", commit)
				code, said, dir := s.do(t, reports, "DD_TOKEN="+token)
				return code, said, dir, s
			}
			product := "acme/" + f.name
			base := map[string]string{"trivy.json": report(t, oldFinding)}
			if code, said, _, _ := do(map[string]string{"reports": "trivy.json", "product": product}, base); code != 0 || !strings.Contains(said, "PASSED") {
				t.Fatalf("baseline: exit code %d\n%s", code, said)
			}
			worse := map[string]string{"trivy.json": report(t, oldFinding, newFinding)}
			code, said, dir, s := do(map[string]string{"reports": "\ntrivy.json\n\n", "product": product, "engagement": "main"}, worse)
			if code != 1 || !strings.Contains(said, "new-critical: 1 > 0") {
				t.Errorf("new finding: exit code %d\n%s", code, said)
			}
			checkLeft(t, f.name, dir, said, s)
			if code, said, _, _ := do(map[string]string{"reports": "nothing.json", "product": product}, nil); code != 2 || !strings.Contains(said, "did the scan run") {
				t.Errorf("no report: exit code %d\n%s", code, said)
			}
			if f.name != "jenkins" {
				if code, said, _, _ := do(map[string]string{"reports": "trivy.json", "product": product, "exit-zero": "true"}, map[string]string{"trivy.json": report(t, oldFinding, newFinding, another)}); code != 0 || !strings.Contains(said, "it would have been 1") {
					t.Errorf("exit-zero: exit code %d\n%s", code, said)
				}
			}
			for i, text := range hostile {
				named, file := fmt.Sprintf("%s %s %d", text, f.name, i), strings.ReplaceAll(text, "/", "_")+".json"
				if strings.ContainsAny(text, "\r\n*") { // no name of one file
					file = "trivy.json"
				}
				code, said, dir, _ := do(map[string]string{"reports": file, "product": named, "engagement": text, "service": text}, map[string]string{file: base["trivy.json"]})
				if code != 0 || !strings.Contains(said, named) && !strings.ContainsAny(text, "\r\n#[") {
					t.Errorf("product %q, report %q: exit code %d\n%s", named, file, code, said)
				}
				untouched(t, dir, text)
				if i%4 != 0 {
					continue
				}
				code, said, dir, _ = do(map[string]string{"reports": text, "product": product}, nil)
				if code != 2 {
					t.Errorf("report %q that is not there: exit code %d\n%s", text, code, said)
				}
				untouched(t, dir, text)
			}
		})
	}
}

// untouched checks that no text was run as a command.
func untouched(t *testing.T, dir, text string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Errorf("%q was run", text)
	}
}

// checkLeft checks what a failed gate leaves to the steps after it.
func checkLeft(t *testing.T, ci, dir, said string, s step) {
	t.Helper()
	reports := filepath.Join(dir, "defectdojo")
	switch ci {
	case "github":
		o := outputsOf(t, s.env["GITHUB_OUTPUT"])
		if o["verdict"] != "fail" || o["exit-code"] != "1" || !strings.Contains(o["url"], "/verdicts/") || o["verdict-id"] == "" {
			t.Errorf("outputs: %v", o)
		}
		for _, name := range []string{"json-report", "markdown-report", "html-report", "sarif-report", "junit-report"} {
			if _, err := os.Stat(o[name]); err != nil {
				t.Errorf("output %s: %v", name, err)
			}
		}
		summary, _ := os.ReadFile(s.env["GITHUB_STEP_SUMMARY"])
		if !strings.Contains(string(summary), "CVE-2021-44228") || !strings.Contains(string(summary), o["url"]) {
			t.Errorf("summary: %s", summary)
		}
		reports = o["reports-dir"]
	case "azure":
		m := regexp.MustCompile(`variable=DD_GATE_REPORTS_DIR;isOutput=true\](.+)`).FindStringSubmatch(said)
		if m == nil || !strings.Contains(said, "##vso[task.setvariable variable=DD_GATE_VERDICT;isOutput=true]fail") {
			t.Fatalf("it says\n%s", said)
		}
		reports = m[1]
	}
	if v := outputsOf(t, filepath.Join(reports, "gate.env")); v["DD_GATE_VERDICT"] != "fail" || v["DD_GATE_EXIT_CODE"] != "1" {
		t.Errorf("gate.env: %v", v)
	}
	for _, name := range []string{"verdict.json", "verdict.md", "verdict.html", "verdict.sarif", "junit-gate.xml", "gl-code-quality-report.json", "gl-sast-report.json"} {
		if b, err := os.ReadFile(filepath.Join(reports, name)); err != nil || len(b) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestActionsDownload downloads the uploader, and runs it only if it is the one
// that was meant.
func TestActionsDownload(t *testing.T) {
	t.Parallel()
	newHost(t) // for its programs
	program, err := os.ReadFile(filepath.Join(bin, "defectdojo-upload"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(program)
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/uploader" {
			_, _ = w.Write(program)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(files.Close)
	for _, f := range []ciFile{ciFiles[0], ciFiles[1]} {
		for _, c := range []struct {
			name, url, sum, says string
			code                 int
		}{
			{"right", "/uploader", strings.ToUpper(hex.EncodeToString(sum[:])), "a token is needed", 2},
			{"another", "/uploader", strings.Repeat("0", 64), "it was not run", 2},
			{"none", "/uploader", "", "needs download-sha256", 2},
			{"not_there", "/nothing", strings.Repeat("0", 64), "could not be downloaded", 2},
		} {
			s := f.step(t, map[string]string{"reports": "x.json", "url": "http://127.0.0.1:1", "download-url": files.URL + c.url, "download-sha256": c.sum})
			code, said, _ := s.do(t, nil)
			if code != c.code || !strings.Contains(said, c.says) {
				t.Errorf("%s %s: exit code %d\n%s", f.name, c.name, code, said)
			}
		}
	}
}

// TestActionScripts checks what running the scripts cannot show: that nothing
// of an input is put into one before a shell reads it.
func TestActionScripts(t *testing.T) {
	t.Parallel()
	for _, f := range ciFiles {
		s := f.step(t, map[string]string{"reports": "marker-of-the-test", "product": "marker-of-the-test", "url": "marker-of-the-test"})
		for _, sign := range []string{"${{", "$[[", "marker-of-the-test", "eval "} {
			if strings.Contains(s.run, sign) {
				t.Errorf("%s: the script holds %q", f.name, sign)
			}
		}
		used := regexp.MustCompile(`GATE_[A-Z0-9_]+`).FindAllString(s.run, -1)
		for name := range s.env {
			if strings.HasPrefix(name, "GATE_") && !slices.Contains(used, name) {
				t.Errorf("%s: %s is never read", f.name, name)
			}
		}
	}
}
