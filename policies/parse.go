package policies

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"defectdojo/gate"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxSource is how long the text of a policy may be, in bytes.
const MaxSource = 256 << 10

// Problem is something wrong in a policy or waiver file, and where.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path,omitempty"` // "spec.rules[0].when"
	Message string `json:"message"`
}

// String writes "file:line:column: path: message".
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Path != "" {
		s += p.Path + ": "
	}
	return s + p.Message
}

// Problems is all that is wrong in a file. Its kind is gate.Invalid.
type Problems []Problem //nolint:errname // all that is wrong, not one error

// Error lists them, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, x := range p {
		lines[i] = x.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the error its kind.
func (p Problems) Unwrap() error { return gate.Errorf(gate.Invalid, "%s", p.Error()) }

// document is a file's whole shape.
type document struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       Spec     `yaml:"spec"`
}

type metadata struct {
	Name        string            `yaml:"name"`
	Owner       string            `yaml:"owner"`
	Description string            `yaml:"description"`
	Labels      map[string]string `yaml:"labels"`
}

// Parse reads a policy, checks it whole and compiles its expressions. The name is
// the file's, for errors, and the policy's where it does not say its own. The
// error is Problems. A text without "spec" is a spec: rules alone will do.
func Parse(name string, origin Origin, source []byte) (*Policy, error) {
	if len(source) > MaxSource {
		return nil, Problems{{File: name, Line: 1, Column: 1, Message: fmt.Sprintf("longer than %d bytes", MaxSource)}}
	}
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return nil, Problems{yamlProblem(name, err)}
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, Problems{{File: name, Line: 1, Column: 1, Message: "must hold one policy"}}
	}
	body := file.Docs[0].Body
	p := &Policy{Origin: origin, Source: string(source), Digest: Digest(source), places: placesOf(name, body, source)}
	if err := p.decode(name, body); err != nil {
		return nil, err
	}
	if found := p.compile(); len(found) > 0 {
		return nil, found
	}
	return p, nil
}

// decode fills the policy from its text.
func (p *Policy) decode(name string, body ast.Node) error {
	if p.places.has("$.spec") || p.places.has("$.kind") {
		var d document
		if err := yaml.NodeToValue(body, &d, yaml.Strict()); err != nil {
			return Problems{yamlProblem(name, err)}
		}
		if d.Kind != "" && d.Kind != "GatePolicy" {
			return Problems{p.places.problem("$.kind", "%q is not a policy: its kind must be GatePolicy", d.Kind)}
		}
		if d.APIVersion != "" && d.APIVersion != "gate/v1" {
			return Problems{p.places.problem("$.apiVersion", "%q is not known: use gate/v1", d.APIVersion)}
		}
		p.Name, p.Owner, p.Description, p.Spec = d.Metadata.Name, d.Metadata.Owner, d.Metadata.Description, d.Spec
		p.places.root = "$.spec"
	} else {
		if err := yaml.NodeToValue(body, &p.Spec, yaml.Strict()); err != nil {
			return Problems{yamlProblem(name, err)}
		}
		p.places.root = "$"
	}
	if p.Name == "" {
		p.Name = strings.TrimSuffix(strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".yaml"), ".yml")
	}
	return nil
}

// wrongType is how the decoder says that a value is of the wrong type.
var wrongType = regexp.MustCompile(`cannot unmarshal (.+?) into Go (?:value|struct field \S+) of type (?:policies\.)?(\S+)`)

// yamlProblem finds the place in a YAML error.
func yamlProblem(file string, err error) Problem {
	p := Problem{File: file, Line: 1, Column: 1, Message: err.Error()}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		p.Message = wrongType.ReplaceAllString(e.GetMessage(), "must be $2, not $1")
		if t := e.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}
