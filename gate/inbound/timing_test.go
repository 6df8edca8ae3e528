package inbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// prover proves requests in one of the ways that there are.
type prover struct {
	name  string
	good  string // what proves
	shift int    // where the secret part of it begins
	// check looks at a request whose proof is given.
	check func(proof string) bool
}

// provers are all of them, over one body.
func provers(now time.Time) []prover {
	const secret, body = "It's a Secret to Everybody", `{"action":"completed"}`
	stamp := strconv.FormatInt(now.Unix(), 10)
	sum := func(parts ...string) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(strings.Join(parts, "")))
		return m.Sum(nil)
	}
	by := func(k Kind, s Secrets, header map[string]string, name string) func(string) bool {
		proof := ""
		r := Request{Body: []byte(body), Header: func(h string) string {
			if h == name {
				return proof
			}
			return header[h]
		}}
		return func(given string) bool { proof = given; return k.Verify(r, s, now) == nil }
	}
	hooks := Secrets{WebhookSecret: secret}
	return []prover{
		{"github", "sha256=" + hex.EncodeToString(sum(body)), 7, by(GitHub(nil), hooks, nil, "X-Hub-Signature-256")},
		{"gitlab, signed", "v1," + base64.StdEncoding.EncodeToString(sum("id.", stamp, ".", body)), 3, by(GitLab(nil), hooks, map[string]string{"webhook-id": "id", "webhook-timestamp": stamp}, "webhook-signature")},
		{"gitlab, token", secret, 0, by(GitLab(nil), hooks, nil, "X-Gitlab-Token")},
		{"jira", "sha256=" + hex.EncodeToString(sum(body)), 7, by(JIRA(), hooks, nil, "X-Hub-Signature")},
		{"slack", "v0=" + hex.EncodeToString(sum("v0:", stamp, ":", body)), 3, by(Slack(nil), Secrets{"signing_secret": secret}, map[string]string{"X-Slack-Request-Timestamp": stamp}, "X-Slack-Signature")},
	}
}

// comparisons is how many are timed of each way to prove, and mostCorrelated
// what their times may have to do with how much of a forged proof is right.
const (
	comparisons    = 10_000
	mostCorrelated = 0.05
)

// TestComparisonsTakeTheSameTime: how long it takes to refuse a proof tells
// nothing of how much of it is right. It times, so it runs only with
// DD_LONG_TESTS=1; a machine that is busy is given several tries.
func TestComparisonsTakeTheSameTime(t *testing.T) { //nolint:paralleltest // others would disturb what is measured
	if os.Getenv("DD_LONG_TESTS") == "" {
		t.Skip("DD_LONG_TESTS=1 measures")
	}
	now := time.Now()
	leaky := prover{name: "leaky", good: strings.Repeat("0123456789abcdef", 4)}
	leaky.check = func(proof string) bool {
		for i := range leaky.good { // stops at the first difference, as == does
			if proof[i] != leaky.good[i] {
				return false
			}
			sha256.Sum256([]byte(proof[:1])) // what would be seen of a slow machine
		}
		return true
	}
	if r := leaky.correlation(t); r < 0.5 {
		t.Errorf("the measurement does not see a comparison that leaks: r = %.3f", r)
	}
	for _, p := range provers(now) {
		if !p.check(p.good) {
			t.Errorf("%s: what proves is refused", p.name)
		}
		r := p.correlation(t)
		for try := 1; try < 5 && math.Abs(r) >= mostCorrelated; try++ {
			t.Logf("%s: r = %+.4f: once more", p.name, r)
			r = p.correlation(t)
		}
		if math.Abs(r) >= mostCorrelated {
			t.Errorf("%s: the time of %d comparisons is correlated with how much is right: r = %+.4f", p.name, comparisons, r)
		}
		t.Logf("%s: r = %+.4f over %d comparisons", p.name, r, comparisons)
	}
}

// correlation times comparisons of proofs of which more or less is right, and
// returns how much the times have to do with it (Pearson's r). The slowest tenth
// is left out: there the machine did something else.
func (p prover) correlation(t *testing.T) float64 {
	t.Helper()
	type sample struct {
		right int
		took  float64
	}
	forged := make([]string, comparisons)
	samples := make([]sample, comparisons)
	for i := range forged {
		n := p.shift + rand.IntN(len(p.good)-p.shift)
		b := []byte(p.good)
		for j := n; j < len(b); j++ {
			b[j] = other(b[j])
		}
		forged[i], samples[i].right = string(b), n
	}
	for i, f := range forged {
		begin := time.Now()
		ok := p.check(f)
		samples[i].took = float64(time.Since(begin))
		if ok {
			t.Fatalf("%s: %q is taken for right", p.name, f)
		}
	}
	slices.SortFunc(samples, func(a, b sample) int { return int(a.took - b.took) })
	samples = samples[:len(samples)*9/10]
	var x, y, xx, yy, xy float64
	for _, s := range samples {
		r := float64(s.right)
		x, y, xx, yy, xy = x+r, y+s.took, xx+r*r, yy+s.took*s.took, xy+r*s.took
	}
	n := float64(len(samples))
	return (n*xy - x*y) / math.Sqrt((n*xx-x*x)*(n*yy-y*y))
}

// other returns another character, of those that can stand there: of hex digits
// and of base64.
func other(c byte) byte {
	switch {
	case c == '0':
		return '1'
	case c >= '0' && c <= '9':
		return '0'
	case c == 'a':
		return 'b'
	}
	return 'a'
}

// TestProofsAreComparedInConstantTime reads the code: where a proof is looked
// at, what is compared is compared by hmac.Equal or subtle.ConstantTimeCompare,
// and nothing that is not a constant is compared otherwise.
func TestProofsAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	for folder, functions := range map[string][]string{"github": {"Proves"}, "gitlab": {"Proves", "signed"}, "jira": {"Verify"}, "slack": {"Verify"}} {
		files, err := filepath.Glob(filepath.Join("../../integrations", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || f.Recv != nil || !slices.Contains(functions, f.Name.Name) {
					continue
				}
				seen++
				if constant, wrong := compares(f); !constant || len(wrong) > 0 {
					t.Errorf("%s.%s: constant time: %v; compared otherwise: %v", folder, f.Name.Name, constant, wrong)
				}
			}
		}
		if seen != len(functions) {
			t.Errorf("%s: %d of %v are there", folder, seen, functions)
		}
	}
}

// compares tells whether a function compares in constant time, and what it
// compares otherwise.
func compares(f *ast.FuncDecl) (constant bool, wrong []string) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			s, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			x, _ := s.X.(*ast.Ident)
			if x == nil {
				break
			}
			switch call := x.Name + "." + s.Sel.Name; call {
			case "hmac.Equal", "subtle.ConstantTimeCompare":
				constant = true
			case "bytes.Equal", "bytes.Compare", "slices.Equal", "strings.EqualFold", "strings.Compare", "reflect.DeepEqual", "slices.Contains", "strings.HasPrefix", "strings.HasSuffix", "bytes.HasPrefix":
				wrong = append(wrong, call)
			}
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && !fixed(n.X) && !fixed(n.Y) && !harmless(n) {
				wrong = append(wrong, n.Op.String())
			}
		}
		return true
	})
	return constant, wrong
}

// fixed tells whether a value stands in the code.
func fixed(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "true" || e.Name == "false"
	}
	return false
}

// harmless tells whether a comparison is that of a time with how it is written:
// it is no secret.
func harmless(n *ast.BinaryExpr) bool {
	y, ok := n.Y.(*ast.Ident)
	return ok && y.Name == "timestamp"
}
