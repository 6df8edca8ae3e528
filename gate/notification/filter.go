package notification

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"

	"defectdojo/gate"
)

// The limits of a filter: characters of its text, and what it may cost.
const (
	MaxFilter     = 2000
	maxFilterCost = 100_000
)

// filterFields are what a filter can ask of a notice.
var filterFields = []struct {
	name  string
	typ   *cel.Type
	help  string
	value func(n Notice) any
}{
	{"n.event", cel.StringType, "scan_added, sla_breach …", func(n Notice) any { return n.Event }},
	{"n.title", cel.StringType, "", func(n Notice) any { return n.Title }},
	{"n.product", cel.StringType, "its name", func(n Notice) any { return n.Product.name() }},
	{"n.product_type", cel.StringType, "its name", func(n Notice) any { return n.ProductType.name() }},
	{"n.engagement", cel.StringType, "its name", func(n Notice) any { return n.Engagement.name() }},
	{"n.test", cel.StringType, "its title", func(n Notice) any { return n.Test.name() }},
	{"n.branch", cel.StringType, "", func(n Notice) any { return n.Branch }},
	{"n.tags", cel.ListType(cel.StringType), "the product's", func(n Notice) any { return n.Tags }},
	{"n.severity", cel.IntType, "of the worst finding; -1 when it is about none", func(n Notice) any {
		if n.Severity == nil {
			return -1
		}
		return int(*n.Severity)
	}},
	{"n.new", cel.IntType, "findings", func(n Notice) any { return n.Counts["new"] }},
	{"n.reactivated", cel.IntType, "findings", func(n Notice) any { return n.Counts["reactivated"] }},
	{"n.closed", cel.IntType, "findings", func(n Notice) any { return n.Counts["mitigated"] }},
	{"n.verdict", cel.StringType, "pass, warn or fail", func(n Notice) any {
		if n.Verdict == nil {
			return ""
		}
		return n.Verdict.Overall
	}},
}

// FilterFields lists what a filter can name, for the pages.
func FilterFields() []string {
	var out []string
	for _, f := range filterFields {
		out = append(out, f.name)
	}
	return out
}

var filterEnv = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.DefaultUTCTimeZone(true), cel.CrossTypeNumericComparisons(true), cel.ParserExpressionSizeLimit(MaxFilter), cel.ParserRecursionLimit(64), ext.Strings(),
	}
	for _, f := range filterFields {
		opts = append(opts, cel.Variable(f.name, f.typ))
	}
	for i, s := range []string{"info", "low", "medium", "high", "critical"} {
		opts = append(opts, cel.Constant("severity."+s, cel.IntType, types.Int(i)))
	}
	return cel.NewEnv(opts...)
})

// filterSizes are what the estimate of a filter's cost reckons with.
type filterSizes struct{}

// EstimateSize returns the most that a text or list has.
func (filterSizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	if n.Type().TypeName() == "list" {
		return &checker.SizeEstimate{Max: 100}
	}
	return &checker.SizeEstimate{Max: 500}
}

// EstimateCallCost leaves the cost of functions to CEL.
func (filterSizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// CheckFilter tells what is wrong with a filter.
func CheckFilter(text string) error {
	_, err := compileFilter(text)
	return err
}

func compileFilter(text string) (cel.Program, error) {
	bad := func(format string, args ...any) (cel.Program, error) {
		return nil, gate.FieldErrorf("filter", format, args...)
	}
	if len(text) > MaxFilter {
		return bad("longer than %d characters", MaxFilter)
	}
	env, err := filterEnv()
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		e := issues.Errors()[0]
		return bad("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, e.Message)
	}
	if checked.OutputType() != cel.BoolType {
		return bad("it must be true or false, not %s", checked.OutputType())
	}
	if cost, err := env.EstimateCost(checked, filterSizes{}); err != nil || cost.Max > maxFilterCost {
		return bad("it may cost %d, more than %d: shorten it, or loop less", cost.Max, maxFilterCost)
	}
	return env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxFilterCost))
}

// filters keeps the filters that were compiled.
var filters = struct {
	sync.Mutex
	m map[string]cel.Program
}{m: map[string]cel.Program{}}

func compiledFilter(text string) (cel.Program, error) {
	filters.Lock()
	defer filters.Unlock()
	if p := filters.m[text]; p != nil {
		return p, nil
	}
	p, err := compileFilter(text)
	if err != nil {
		return nil, err
	}
	if len(filters.m) >= 1000 {
		clear(filters.m)
	}
	filters.m[text] = p
	return p, nil
}

// passes tells whether a filter lets a notice through. A filter that cannot be
// evaluated does: better told in vain than not told.
func passes(text string, n Notice) bool {
	if text == "" {
		return true
	}
	p, err := compiledFilter(text)
	if err != nil {
		return true
	}
	vars := make(map[string]any, len(filterFields))
	for _, f := range filterFields {
		vars[f.name] = f.value(n)
	}
	out, _, err := p.Eval(vars)
	return err != nil || out.Value() != false
}

// FilterHelp says what a filter can name, a line each.
func FilterHelp() []string {
	var out []string
	for _, f := range filterFields {
		line := fmt.Sprintf("%s (%s)", f.name, f.typ)
		if f.help != "" {
			line += ": " + f.help
		}
		out = append(out, line)
	}
	return out
}
