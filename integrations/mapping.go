package integrations

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// Mapping is how a connection to a code host finds reports, and products for
// repositories that nobody mapped.
type Mapping struct {
	Artifacts   []string `json:"artifacts,omitempty"`    // patterns of artifact names, case aside; none: DefaultArtifacts
	Create      []string `json:"create,omitempty"`       // patterns of repositories that get a product by themselves: "acme/*"
	ProductType string   `json:"product_type,omitempty"` // of those products
	Product     string   `json:"product,omitempty"`      // their name: {owner}, {name} and {repository} are filled in; blank is {name}
}

// DefaultArtifacts are the names under which reports are usually kept.
var DefaultArtifacts = []string{"*sarif*", "*scan*", "*security*", "*report*", "*sbom*", "*results*"}

// Validate tells what is wrong with a mapping.
func (m Mapping) Validate() error {
	for _, p := range m.Artifacts {
		if err := CheckPattern(p); err != nil {
			return errors.New("artifacts: " + err.Error())
		}
	}
	for _, p := range m.Create {
		if err := CheckPattern(p); err != nil {
			return errors.New("create: " + err.Error())
		}
	}
	return nil
}

// CheckPattern tells what is wrong with a pattern of names.
func CheckPattern(p string) error {
	if strings.TrimSpace(p) == "" || len(p) > 200 {
		return errors.New("a pattern is blank or too long")
	}
	if _, err := path.Match(p, ""); err != nil {
		return errors.New(p + " is not a pattern: * and ? stand for anything, [a-z] for one of those")
	}
	return nil
}

// Takes tells whether an artifact's name fits one of the patterns, or of the
// mapping's if there are none.
func (m Mapping) Takes(patterns []string, name string) bool {
	if len(patterns) == 0 {
		patterns = m.Artifacts
	}
	if len(patterns) == 0 {
		patterns = DefaultArtifacts
	}
	return matches(patterns, name)
}

// Creates tells whether a repository gets a product by itself, and what it is called.
func (m Mapping) Creates(repository string) (product string, ok bool) {
	if !matches(m.Create, repository) {
		return "", false
	}
	name := repository[strings.LastIndexByte(repository, '/')+1:]
	product = m.Product
	if product == "" {
		product = "{name}"
	}
	owner := strings.TrimSuffix(strings.TrimSuffix(repository, name), "/")
	return strings.NewReplacer("{owner}", owner, "{name}", name, "{repository}", repository).Replace(product), true
}

// matches compares with the case aside, as code hosts do. In a pattern without a
// slash, * stands for a slash too.
func matches(patterns []string, name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(patterns, func(p string) bool {
		p = strings.ToLower(p)
		at := name
		if !strings.Contains(p, "/") {
			at = strings.ReplaceAll(name, "/", "-")
		}
		ok, err := path.Match(p, at)
		return err == nil && ok
	})
}
