package policies

import (
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// field is a value that an expression can name.
type field struct {
	name  string // "f.epss"
	typ   *cel.Type
	doc   string
	value func(*vars) ref.Val // nil is unknown; a field that can be has a bit
	bit   fieldSet

	unknown ref.Val // CEL's unknown value that tells the field's name
}

// vars are the values that an expression is evaluated with. It implements CEL's
// Activation without maps or reflection: it is made once and refilled.
type vars struct {
	fa  *facts
	ctx *Context
	now time.Time
	hit fieldSet // fields that were asked for and assumed

	only []string // if not nil, all but these are unknown
}

// ResolveName returns the value of a field: types.Unknown if it is not known, so
// that CEL's own logic makes true, false or unknown of the whole.
func (v *vars) ResolveName(name string) (any, bool) {
	f, ok := fieldByName[name]
	if !ok {
		return nil, false
	}
	if v.only != nil && !slices.Contains(v.only, name) {
		return f.unknown, true
	}
	if f.bit != 0 && v.fa != nil {
		v.hit |= f.bit & v.fa.assumed
	}
	if x := f.value(v); x != nil {
		return x, true
	}
	return f.unknown, true
}

// Parent returns nil: there is no wider scope.
func (v *vars) Parent() interpreter.Activation { return nil }

// unknownID is the number of a field among CEL's unknowns: of a field with a bit,
// the bit's; of any other, what its place adds to them.
func unknownID(i int) int64 {
	if bit := fields[i].bit; bit != 0 {
		return int64(bits.TrailingZeros16(uint16(bit)))
	}
	return int64(len(fieldNames) + i)
}

// str makes a text a value; one that is longer than the cost of expressions is
// reckoned with is unknown.
func str(s string) ref.Val {
	if len(s) > maxText {
		return nil
	}
	return types.String(s)
}

// strs does the same for a list.
func strs(s []string) ref.Val {
	if len(s) > maxList {
		return nil
	}
	for _, x := range s {
		if len(x) > maxWord {
			return nil
		}
	}
	return types.NewStringList(types.DefaultTypeAdapter, s)
}

func optional[T any](p *T, val func(T) ref.Val) ref.Val {
	if p == nil {
		return nil
	}
	return val(*p)
}

func boolVal(b bool) ref.Val      { return types.Bool(b) }
func floatVal(f float64) ref.Val  { return types.Double(f) }
func timeVal(t time.Time) ref.Val { return types.Timestamp{Time: t} }
func intVal(i int) ref.Val        { return types.Int(i) }

// known makes an optional text unknown when it is empty.
func known(s string) ref.Val {
	if s == "" {
		return nil
	}
	return types.String(s)
}

// fields are all values that an expression can name.
var fields = append(findingFields, contextFields...)

// findingFields are those of a finding: "f." and the name.
var findingFields = []field{
	{"f.severity", cel.IntType, "0 info … 4 critical; compare with severity.high", func(v *vars) ref.Val { return types.Int(v.fa.Severity) }, 0, nil},
	{"f.title", cel.StringType, "", func(v *vars) ref.Val { return str(v.fa.Title) }, 0, nil},
	{"f.status", cel.StringType, "open, confirmed, in_review …", func(v *vars) ref.Val { return str(string(v.fa.Status)) }, 0, nil},
	{"f.category", cel.StringType, "code, dependency, secret …", func(v *vars) ref.Val { return str(string(v.fa.Category)) }, 0, nil},
	{"f.scanner", cel.StringType, "", func(v *vars) ref.Val { return str(v.fa.Scanner) }, 0, nil},
	{"f.rule", cel.StringType, "the scanner's name for the check", func(v *vars) ref.Val { return str(v.fa.Rule) }, 0, nil},
	{"f.cwe", cel.IntType, "0 when there is none", func(v *vars) ref.Val { return types.Int(v.fa.CWE) }, 0, nil},
	{"f.vulnerabilities", cel.ListType(cel.StringType), "CVE, GHSA …", func(v *vars) ref.Val { return strs(v.fa.Vulnerabilities) }, 0, nil},
	{"f.purl", cel.StringType, "", func(v *vars) ref.Val { return str(v.fa.PURL) }, 0, nil},
	{"f.component", cel.StringType, "", func(v *vars) ref.Val { return str(v.fa.Component) }, 0, nil},
	{"f.version", cel.StringType, "of the component", func(v *vars) ref.Val { return str(v.fa.Version) }, 0, nil},
	{"f.path", cel.StringType, "", func(v *vars) ref.Val { return str(v.fa.Path) }, 0, nil},
	{"f.line", cel.IntType, "", func(v *vars) ref.Val { return types.Int(v.fa.Line) }, 0, nil},
	{"f.endpoint", cel.StringType, "", func(v *vars) ref.Val { return str(v.fa.Endpoint) }, 0, nil},
	{"f.fix_version", cel.StringType, "empty when there is none", func(v *vars) ref.Val { return str(v.fa.FixVersion) }, 0, nil},
	{"f.first_seen", cel.TimestampType, "", func(v *vars) ref.Val { return timeVal(v.fa.FirstSeen) }, 0, nil},
	{"f.age", cel.DurationType, "now - first_seen", func(v *vars) ref.Val { return types.Duration{Duration: v.now.Sub(v.fa.FirstSeen)} }, 0, nil},
	{"f.verified", cel.StringType, "of a secret: active, inactive or untried", func(v *vars) ref.Val { return str(verified(v.fa.Finding)) }, 0, nil},
	{"f.licenses", cel.ListType(cel.StringType), "SPDX ids", func(v *vars) ref.Val { return strs(v.fa.Licenses) }, 0, nil},
	{"f.tags", cel.ListType(cel.StringType), "", func(v *vars) ref.Val { return strs(v.fa.Tags) }, 0, nil},
	{"f.epss", cel.DoubleType, "0 … 1", func(v *vars) ref.Val { return optional(v.fa.epss, floatVal) }, fieldEPSS, nil},
	{"f.epss_percentile", cel.DoubleType, "0 … 1", func(v *vars) ref.Val { return optional(v.fa.pct, floatVal) }, fieldEPSSPercentile, nil},
	{"f.cvss", cel.DoubleType, "0 … 10", func(v *vars) ref.Val { return optional(v.fa.cvss, floatVal) }, fieldCVSS, nil},
	{"f.kev", cel.BoolType, "in the catalogue of known exploited vulnerabilities", func(v *vars) ref.Val { return optional(v.fa.kev, boolVal) }, fieldKEV, nil},
	{"f.ransomware", cel.BoolType, "used by ransomware", func(v *vars) ref.Val { return optional(v.fa.ransom, boolVal) }, fieldRansomware, nil},
	{"f.fix_available", cel.BoolType, "", func(v *vars) ref.Val { return optional(v.fa.fixAvailable, boolVal) }, fieldFixAvailable, nil},
	{"f.fix_published", cel.TimestampType, "", func(v *vars) ref.Val { return optional(v.fa.fixPublished, timeVal) }, fieldFixPublished, nil},
	{"f.direct", cel.BoolType, "a direct dependency", func(v *vars) ref.Val { return optional(v.fa.direct, boolVal) }, fieldDirect, nil},
	{"f.reachability", cel.StringType, "reachable or unreachable", func(v *vars) ref.Val { return known(v.fa.reachability) }, fieldReachability, nil},
	{"f.delta", cel.StringType, "introduced, reopened, disclosed, rule_drift or existing", func(v *vars) ref.Val { return known(string(v.fa.delta)) }, fieldDelta, nil},
}

// contextFields are those of the product and the change.
var contextFields = []field{
	{"product.name", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.Product.Name) }, 0, nil},
	{"product.type", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.Product.Type) }, 0, nil},
	{"product.tags", cel.ListType(cel.StringType), "", func(v *vars) ref.Val { return strs(v.ctx.Product.Tags) }, 0, nil},
	{"product.tier", cel.IntType, "1 is the most important", func(v *vars) ref.Val { return optional(v.ctx.Product.Tier, intVal) }, 0, nil},
	{"product.criticality", cel.StringType, "very high, high, medium, low, very low or none", func(v *vars) ref.Val { return str(v.ctx.Product.Criticality) }, 0, nil},
	{"product.lifecycle", cel.StringType, "construction, production or retirement", func(v *vars) ref.Val { return str(v.ctx.Product.Lifecycle) }, 0, nil},
	{"product.platform", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.Product.Platform) }, 0, nil},
	{"product.internet_accessible", cel.BoolType, "", func(v *vars) ref.Val { return boolVal(v.ctx.Product.InternetAccessible) }, 0, nil},
	{"product.external_audience", cel.BoolType, "", func(v *vars) ref.Val { return boolVal(v.ctx.Product.ExternalAudience) }, 0, nil},
	{"change.event", cel.StringType, "push, pull_request, merge_group …", func(v *vars) ref.Val { return str(string(v.ctx.event())) }, 0, nil},
	{"change.branch", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.Branch) }, 0, nil},
	{"change.target_branch", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.target()) }, 0, nil},
	{"change.repository", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.Repository) }, 0, nil},
	{"change.component", cel.StringType, "a part of a monorepo", func(v *vars) ref.Val { return str(v.ctx.Component) }, 0, nil},
	{"change.environment", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.Environment) }, 0, nil},
	{"change.fork", cel.BoolType, "from another repository", func(v *vars) ref.Val { return boolVal(v.ctx.Fork) }, 0, nil},
	{"change.actor", cel.StringType, "", func(v *vars) ref.Val { return str(v.ctx.Actor) }, 0, nil},
	{"now", cel.TimestampType, "the time of decision", func(v *vars) ref.Val { return timeVal(v.now) }, 0, nil},
}

// Field is a value that a policy's expressions can name.
type Field struct {
	Name     string // "f.epss"
	Type     string // "double"
	Doc      string
	Optional bool // it may not be known
}

// Fields lists all values that expressions can name.
func Fields() []Field {
	out := make([]Field, len(fields))
	for i := range fields {
		f := &fields[i]
		out[i] = Field{f.name, cel.FormatCELType(f.typ), f.doc, f.bit != 0 || f.name == "product.tier"}
	}
	return out
}

// fieldByName finds a field, or the test of whether it is known: "f.has:epss".
var fieldByName = func() map[string]*field {
	m := map[string]*field{}
	for i := range fields {
		f := &fields[i]
		f.unknown = types.NewUnknown(unknownID(i), types.NewAttributeTrail(f.name))
		m[f.name] = f
		m[hasName(f.name)] = &field{name: hasName(f.name), typ: cel.BoolType, value: func(v *vars) ref.Val { return types.Bool(f.value(v) != nil) }}
	}
	return m
}()

// hasName names the hidden field that tells whether a field is known.
func hasName(name string) string {
	object, field, _ := strings.Cut(name, ".")
	return object + ".has__" + field
}

func verified(f *Finding) string {
	if f.Verified == "" {
		return "untried"
	}
	return f.Verified
}
