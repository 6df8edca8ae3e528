package policies

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// list is one word or a list of words.
type list []string

// UnmarshalYAML reads either.
func (l *list) UnmarshalYAML(decode func(any) error) error {
	v, err := oneOrMany[string](decode)
	*l = v
	return err
}

// ints is one number or a list of numbers.
type ints []int

// UnmarshalYAML reads either.
func (l *ints) UnmarshalYAML(decode func(any) error) error {
	v, err := oneOrMany[int](decode)
	*l = v
	return err
}

func oneOrMany[T any](decode func(any) error) ([]T, error) {
	var many []T
	err := decode(&many)
	if err == nil {
		return many, nil
	}
	var one T
	if decode(&one) == nil {
		return []T{one}, nil
	}
	return nil, err
}

// Duration is a time.Duration that also knows days and weeks: "36h", "14d", "2w".
type Duration time.Duration

// UnmarshalYAML reads a duration.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	v, err := ParseDuration(textOf(n))
	*d = v
	return wrongAt(n, err)
}

// textOf returns a plain value as it is written.
func textOf(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return n.String()
}

// wrongAt gives an error its place.
func wrongAt(n ast.Node, err error) error {
	if err == nil {
		return nil
	}
	return &yaml.SyntaxError{Message: err.Error(), Token: n.GetToken()}
}

// ParseDuration reads "36h", "14d", "2w", "1d12h" …, never less than zero.
func ParseDuration(s string) (Duration, error) {
	var total time.Duration
	rest := s
	for _, unit := range []struct {
		mark string
		is   time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		head, tail, found := strings.Cut(rest, unit.mark)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(head, 10, 16)
		if err != nil {
			return 0, badDuration(s)
		}
		total += time.Duration(n) * unit.is
		rest = tail
	}
	if rest == "" && s != "" {
		return Duration(total), nil
	}
	v, err := time.ParseDuration(rest)
	if err != nil || v < 0 {
		return 0, badDuration(s)
	}
	return Duration(total + v), nil
}

func badDuration(s string) error {
	return fmt.Errorf("%q is not a duration: write 36h, 14d or 2w", s)
}

// String writes whole days as days.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	switch {
	case d != 0 && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d%Duration(time.Hour) == 0:
		return strconv.FormatInt(int64(d/Duration(time.Hour)), 10) + "h"
	}
	return time.Duration(d).String()
}

// UnmarshalYAML reads {from: actionable, critical: 7d, default: 30d}.
func (g *Grace) UnmarshalYAML(n ast.Node) error {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return wrongAt(n, errors.New("must be like {from: first_seen, critical: 7d}"))
	}
	for _, kv := range m.Values {
		key := textOf(kv.Key)
		if key == "from" {
			g.From = textOf(kv.Value)
			continue
		}
		d, err := ParseDuration(textOf(kv.Value))
		if err != nil {
			return wrongAt(kv.Value, err)
		}
		if g.By == nil {
			g.By = map[string]Duration{}
		}
		g.By[key] = d
	}
	return nil
}
