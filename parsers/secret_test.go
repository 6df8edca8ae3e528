package parsers

import "testing"

func TestMask(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{
		"":                     "",
		"****":                 "****",
		"REDACTED":             "REDACTED",
		"abc":                  "… (3 characters)",
		"abcdefgh":             "ab… (8 characters)",
		"AKIAIOSFODNN7EXAMPLE": "AKIA… (20 characters)",
		"пароль-пароль-пароль": "паро… (20 characters)",
	} {
		if got := Mask(secret); got != want {
			t.Errorf("Mask(%q) = %q, want %q", secret, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	if got := Redact(`key = "s3cr3t!"`, " s3cr3t! "); got != `key = "REDACTED"` {
		t.Errorf("got %q", got)
	}
	if got := Redact("a cat", "a"); got != "a cat" {
		t.Errorf("a short secret: got %q", got)
	}
}
