package github

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestProves(t *testing.T) {
	t.Parallel()
	const vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" // GitHub's own
	body, secret := []byte("Hello, World!"), "It's a Secret to Everybody"
	for name, c := range map[string]struct {
		header  string
		secrets []string
		want    bool
	}{
		"current": {vector, []string{secret}, true}, "previous": {vector, []string{"new", secret}, true}, "other": {vector, []string{"new"}, false},
		"none": {vector, nil, false}, "blank": {"sha256=", []string{""}, false}, "upper case": {strings.ToUpper(vector), []string{secret}, false},
		"no prefix": {vector[7:], []string{secret}, false},
	} {
		if got := Proves(c.header, body, c.secrets); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestHostsOfArtifacts: an artifact is fetched from hosts that are known, and from no others.
func TestHostsOfArtifacts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		server, at string
		want       bool
	}{
		{"", "https://productionresultssa1.blob.core.windows.net/x?sig=1", true},
		{"", "https://pipelines.actions.githubusercontent.com/x", true},
		{"", "http://productionresultssa1.blob.core.windows.net/x", false},
		{"", "https://blob.core.windows.net.evil.example/x", false},
		{"", "https://evilblob.core.windows.net/x", false},
		{"", "https://169.254.169.254/latest", false},
		{"", "https://a:b@x.blob.core.windows.net/x", false},
		{"https://github.example.org", "https://github.example.org/storage/x", true},
		{"https://github.example.org", "https://media.github.example.org/x", true},
		{"https://github.example.org", "https://store.example.net/x", true},
		{"https://github.example.org", "https://x.blob.core.windows.net/x", false},
	} {
		k, err := New(Config{URL: c.server, Token: "t", Hosts: []string{"store.example.net"}}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		at, err := url.Parse(c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := k.keepsArtifacts(at); got != c.want {
			t.Errorf("%s of %q: %v", c.at, c.server, got)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "https://api.github.com/", "https://github.com/": "https://api.github.com/", "https://ghe.example.org": "https://ghe.example.org/api/v3/",
		"https://ghe.example.org/api/v3/": "https://ghe.example.org/api/v3/",
	} {
		if u, err := (Config{URL: text}).api(); err != nil || u.String() != want {
			t.Errorf("%q: %v %v", text, u, err)
		}
	}
	for _, c := range []Config{{}, {AppID: -1}, {AppID: 1}, {AppID: 1, PrivateKey: "CANARY"}, {URL: "ftp://x", Token: "t"}} {
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
