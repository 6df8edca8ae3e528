package policies

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
)

// Limits of an expression. The cost is the worst case that CEL estimates for the
// sizes that findings have.
const (
	MaxExpression = 2048
	MaxCost       = 100_000
)

// tri is true, false or unknown.
type tri int8

const (
	no      tri = -1
	unknown tri = 0
	yes     tri = 1
)

func truth(b bool) tri {
	if b {
		return yes
	}
	return no
}

// expression is a compiled CEL expression: true if all its terms are.
type expression struct {
	text  string
	terms []term
	uses  fieldSet // fields that can be unknown, and that no has() asks about
	guard fieldSet // fields that has() asks about
	names []string // all fields that it names
	clock bool     // it looks at the time
}

// term is one of the parts that && joins.
type term struct {
	text    string
	program cel.Program
}

// result is what an expression came to.
type result struct {
	is      tri
	because string   // the term that is false
	fields  fieldSet // those that are not known
	names   []string // the same of fields without a bit, and of what went wrong
}

// eval evaluates the terms in order until one is false. A term that cannot be
// computed (a division by zero) is unknown.
func (e *expression) eval(v *vars) result {
	r := result{is: yes}
	for i := range e.terms {
		out, _, err := e.terms[i].program.Eval(v)
		switch b := out.(type) {
		case types.Bool:
			if !b {
				return result{is: no, because: e.terms[i].text}
			}
			continue
		case *types.Unknown:
			r.miss(b)
		default:
			r.names = append(r.names, fmt.Sprintf("%s (%v)", e.terms[i].text, err))
		}
		r.is = unknown
	}
	return r
}

// miss notes the fields that an unknown value comes from.
func (r *result) miss(u *types.Unknown) {
	for _, id := range u.IDs() {
		i := int(id)
		if i < len(fieldNames) {
			r.fields |= 1 << i
		} else if name := strings.TrimPrefix(fields[i-len(fieldNames)].name, "f."); !slices.Contains(r.names, name) {
			r.names = append(r.names, name)
		}
	}
}

// environment is the typed environment of all expressions.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.ClearMacros(), cel.Macros(append([]cel.Macro{hasMacro}, cel.StandardMacros[1:]...)...),
		cel.EnableMacroCallTracking(), cel.DefaultUTCTimeZone(true), cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(MaxExpression), cel.ParserRecursionLimit(64),
		ext.Sets(), ext.Strings(),
	}
	for name, f := range fieldByName {
		opts = append(opts, cel.Variable(name, f.typ))
	}
	for i, s := range []string{"info", "low", "medium", "high", "critical"} {
		opts = append(opts, cel.Constant("severity."+s, cel.IntType, types.Int(i)))
	}
	return cel.NewEnv(opts...)
})

// hasMacro makes has(f.epss) tell whether the value is known. It is never unknown
// itself, which the macro of the same name of CEL would be.
var hasMacro = cel.GlobalMacro("has", 1, func(mef cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	arg := args[0]
	if arg.Kind() != ast.SelectKind || arg.AsSelect().Operand().Kind() != ast.IdentKind {
		return nil, mef.NewError(arg.ID(), "has() is for a field: has(f.epss)")
	}
	name := arg.AsSelect().Operand().AsIdent() + "." + arg.AsSelect().FieldName()
	if fieldByName[name] == nil {
		return mef.Copy(arg), nil // the checker will say that there is no such field
	}
	object, field, _ := strings.Cut(hasName(name), ".")
	return mef.NewSelect(mef.NewIdent(object), field), nil
})

// exprError is what is wrong with an expression, and where in it.
type exprError struct {
	line, column int
	message      string
}

func (e *exprError) Error() string { return e.message }

// compiled keeps the expressions that were compiled: replays and backtests parse
// the same policies over and over.
var compiled = struct {
	sync.Mutex
	m map[string]*expression
}{m: map[string]*expression{}}

// maxCompiled is how many are kept before they are all forgotten.
const maxCompiled = 4096

// compile makes an expression. It must be a bool, and not use objects other than
// those that are allowed: "f" is not there when a policy is selected.
func compile(text string, objects ...string) (*expression, *exprError) {
	key := strings.Join(objects, " ") + "\x00" + text
	compiled.Lock()
	e := compiled.m[key]
	compiled.Unlock()
	if e != nil {
		return e, nil
	}
	e, err := compileNew(text, objects...)
	if err != nil {
		return nil, err
	}
	compiled.Lock()
	defer compiled.Unlock()
	if len(compiled.m) >= maxCompiled {
		clear(compiled.m)
	}
	compiled.m[key] = e
	return e, nil
}

func compileNew(text string, objects ...string) (*expression, *exprError) {
	if len(text) > MaxExpression {
		return nil, &exprError{1, 0, fmt.Sprintf("longer than %d characters", MaxExpression)}
	}
	env, err := environment()
	if err != nil {
		return nil, &exprError{1, 0, err.Error()}
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		e := issues.Errors()[0]
		return nil, &exprError{e.Location.Line(), e.Location.Column(), betterMessage(text, e.Location.Line(), e.Location.Column(), e.Message)}
	}
	if checked.OutputType() != cel.BoolType {
		return nil, &exprError{1, 0, fmt.Sprintf("must be true or false, not %s", checked.OutputType())}
	}
	if cost, err := env.EstimateCost(checked, sizes{}); err != nil || cost.Max > MaxCost {
		return nil, &exprError{1, 0, fmt.Sprintf("may cost %d, more than %d: shorten it, or loop less", cost.Max, MaxCost)}
	}
	e := &expression{text: text}
	if bad := e.collect(checked.NativeRep().Expr(), objects); bad != "" {
		return nil, &exprError{1, 0, fmt.Sprintf("%s is not known here: use %s", bad, strings.Join(objects, ", "))}
	}
	return e, e.split(env, checked)
}

// split compiles each term by itself, so that the one that is false can be told.
func (e *expression) split(env *cel.Env, checked *cel.Ast) *exprError {
	for _, part := range conjuncts(checked.NativeRep().Expr()) {
		text, err := cel.ExprToString(part, checked.NativeRep().SourceInfo())
		if err != nil {
			return &exprError{1, 0, err.Error()}
		}
		sub, issues := env.Compile(text)
		if issues.Err() != nil {
			return &exprError{1, 0, issues.Err().Error()}
		}
		program, err := env.Program(sub, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return &exprError{1, 0, err.Error()}
		}
		e.terms = append(e.terms, term{text, program})
	}
	return nil
}

// conjuncts lists what && joins, from left to right.
func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
		var out []ast.Expr
		for _, arg := range e.AsCall().Args() {
			out = append(out, conjuncts(arg)...)
		}
		return out
	}
	return []ast.Expr{e}
}

// collect notes the fields that an expression names, and returns the first of
// an object that is not allowed.
func (e *expression) collect(root ast.Expr, objects []string) (bad string) {
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.SelectKind && x.Kind() != ast.IdentKind {
			return
		}
		name := qualified(x)
		if fieldByName[name] == nil {
			return
		}
		object, field, _ := strings.Cut(name, ".")
		if !slices.Contains(objects, object) && bad == "" {
			bad = name
		}
		if plain, ok := strings.CutPrefix(field, "has__"); ok {
			e.guard |= fieldOf(plain)
			return
		}
		e.names = append(e.names, name)
		e.clock = e.clock || name == "now" || name == "f.age"
		if object == "f" {
			e.uses |= fieldOf(field)
		}
	}))
	return bad
}

// qualified returns "f.epss" for the selection of epss of f.
func qualified(x ast.Expr) string {
	if x.Kind() == ast.IdentKind {
		return x.AsIdent()
	}
	if s := x.AsSelect(); s.Operand().Kind() == ast.IdentKind {
		return s.Operand().AsIdent() + "." + s.FieldName()
	}
	return ""
}

var chain = regexp.MustCompile(`^([a-z]+)\.(\w+)`)

// betterMessage says which field is not known, where CEL says that its object is not.
func betterMessage(text string, line, column int, message string) string {
	if !strings.Contains(message, "undeclared reference") {
		return message
	}
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) || column > len(lines[line-1]) {
		return message
	}
	at := lines[line-1][column:]
	m := chain.FindStringSubmatch(at)
	if m == nil {
		return message
	}
	if near := nearest(m[1] + "." + m[2]); near != "" {
		return fmt.Sprintf("undefined field %q of %s: did you mean %q?", m[2], m[1], near)
	}
	return fmt.Sprintf("undefined field %q of %s", m[2], m[1])
}
