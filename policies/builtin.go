package policies

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

//go:embed builtin/*.yaml
var builtinFiles embed.FS

// Builtin returns the policies that come with the program, by name: "default",
// which applies where nobody has made one, and presets to start from.
var Builtin = sync.OnceValue(func() map[string]*Policy {
	out := map[string]*Policy{}
	files, _ := fs.Glob(builtinFiles, "builtin/*.yaml")
	for _, file := range files {
		source, err := builtinFiles.ReadFile(file)
		if err != nil {
			panic(err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "builtin/"), ".yaml")
		p, err := Parse(name, FromBuiltin, source)
		if err != nil {
			panic(fmt.Sprintf("builtin policy: %v", err)) // a test parses them all
		}
		out[name] = p
	}
	return out
})

// Default returns the policy that applies where nobody has made one.
func Default() *Policy { return Builtin()["default"] }
