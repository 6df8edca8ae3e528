package ingest

import "testing"

func TestTakes(t *testing.T) {
	t.Parallel()
	api := Request{Paths: []string{"services/api", "libs/http"}, Elsewhere: []string{"services/web", "services/api/docs"}}
	for at, want := range map[string]bool{
		"services/api/main.go": true, "./services/api/main.go": true, "services/api": true, "libs/http/x.go": true, `services\api\main.go`: true,
		"services/web/main.js": false, "./services/web/a/b.js": false, "services/webby/x.js": true,
		"/home/runner/work/shop/shop/services/web/x.js": false, "/home/runner/work/shop/shop/services/api/x.go": true, "file:///src/services/web/x.js": false, `C:\a\services\web\x.js`: false,
		"go.mod": true, "": true, "Dockerfile": true, "a/services/web/x.js": true,
		"services/api/docs/x.md": true, // both: nothing is lost
	} {
		if got := api.takes(at); got != want {
			t.Errorf("%q: %v", at, got)
		}
	}
	if !(Request{Elsewhere: []string{"services/web"}}).takes("services/web/x.js") {
		t.Error("who has no paths takes all")
	}
}
