package ingest

import (
	"path"
	"slices"
	"strings"
)

// takes tells whether a finding at a path of the repository is the request's. A
// part of a monorepo takes what is at its own paths and what is at nobody's:
// so nothing that a report says is lost between the parts.
func (r Request) takes(at string) bool {
	return len(r.Paths) == 0 || under(at, r.Paths) || !under(at, r.Elsewhere)
}

// under tells whether a path is one of some, or beneath. One that begins at the
// root of the machine that scanned may have anything before it.
func under(at string, paths []string) bool {
	at = strings.TrimPrefix(strings.ReplaceAll(at, `\`, "/"), "file://")
	if at == "" {
		return false
	}
	at = path.Clean(at)
	return slices.ContainsFunc(paths, func(p string) bool {
		if strings.HasPrefix(at, "/") || len(at) > 1 && at[1] == ':' {
			return strings.Contains(at+"/", "/"+p+"/")
		}
		return strings.HasPrefix(at+"/", p+"/")
	})
}
