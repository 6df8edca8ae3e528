package policies

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// places knows where in a file each value stands.
type places struct {
	file  string
	root  string // the path of the spec
	lines []string
	nodes map[string]ast.Node
}

// placesOf walks a document.
func placesOf(file string, body ast.Node, source []byte) places {
	p := places{file: file, root: "$", lines: strings.Split(string(source), "\n"), nodes: map[string]ast.Node{}}
	ast.Walk(p, body)
	return p
}

// Visit notes a node: of those with one path, the value, which comes last.
func (p places) Visit(n ast.Node) ast.Visitor {
	if _, ok := n.(*ast.CommentGroupNode); !ok {
		p.nodes[n.GetPath()] = n
	}
	if _, ok := n.(*ast.LiteralNode); ok {
		return nil // the text in it does not know its place
	}
	return p
}

// placeOf returns where a node begins: a block of keys at its first key.
func placeOf(n ast.Node) *token.Position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if n == nil || n.GetToken() == nil {
		return nil
	}
	return n.GetToken().Position
}

func (p places) has(path string) bool { return p.nodes[path] != nil }

// at finds the position of a path within the spec, or of the nearest above it
// that the text has.
func (p places) at(path string) *token.Position {
	for path = p.full(path); ; {
		if at := placeOf(p.nodes[path]); at != nil {
			return at
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut <= 0 {
			return &token.Position{Line: 1, Column: 1}
		}
		path = path[:cut]
	}
}

func (p places) full(path string) string {
	if strings.HasPrefix(path, "$") {
		return path
	}
	return p.root + "." + path
}

// problem makes a Problem at a path.
func (p places) problem(path, format string, args ...any) Problem {
	at := p.at(path)
	return Problem{File: p.file, Line: at.Line, Column: at.Column, Path: strings.TrimPrefix(strings.TrimPrefix(p.full(path), "$"), "."), Message: fmt.Sprintf(format, args...)}
}

// within makes a Problem inside of a text at a path: line counts from 1 and
// column from 0, as CEL counts them.
func (p places) within(path string, line, column int, message string) Problem {
	pr := p.problem(path, "%s", message)
	n := p.nodes[p.full(path)]
	switch n := n.(type) {
	case *ast.LiteralNode: // | or >: the text begins on a line below, indented
		if i := pr.Line; i < len(p.lines) {
			pr.Column = len(p.lines[i]) - len(strings.TrimLeft(p.lines[i], " ")) + column + 1
		}
		pr.Line += line
	case *ast.StringNode:
		if t := n.GetToken().Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
			column++
		}
		if line == 1 {
			pr.Column += column
		}
	}
	return pr
}
