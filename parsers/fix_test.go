package parsers_test

import (
	"testing"

	"defectdojo/parsers"
)

func TestFixed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "None": "", "<0.0.0": "", "> 1.2": "", "2.1.0": "2.1.0", "1.2.3, 2.0.1": "1.2.3, 2.0.1", ">=1.10.2": "1.10.2",
		">=1.10.2 <2.0.0 || >=2.0.1": "1.10.2, 2.0.1", "upgrade to '~> 1.6.11', '>= 2.0.6'": "1.6.11, 2.0.6", "≥ 2:1.6.4-3+deb9u1": "2:1.6.4-3+deb9u1",
		"[2.1.0]": "2.1.0", "[2.1.0,)": "2.1.0", "[2.1.0, 2.2)": "2.1.0", "(,2.0)": "", "v0.3.8": "v0.3.8", "1.2.0 1.2.0": "1.2.0", "^4.1.3": "4.1.3", "0:1.1.1k-5.el8_5": "0:1.1.1k-5.el8_5",
	} {
		if got := parsers.Fixed(text); got != want {
			t.Errorf("Fixed(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestFixedInWords(t *testing.T) {
	t.Parallel()
	for sentence, want := range map[string]string{
		"": "", "No solution provided": "", "Upgrade guzzlehttp/guzzle to 7.4.5, 6.5.8": "7.4.5, 6.5.8", "Upgrade apt from 1.4.8 to 1.4.9": "1.4.9", "will not fix": "", "open since 3 years": "",
		"Upgrade to version v0.0.0-20201216223049-8b5274cf687f or above.": "v0.0.0-20201216223049-8b5274cf687f", "fixed in 1.2, 2.0": "1.2, 2.0", "Upgrade To Version 4.3.5,4.0.2": "4.3.5, 4.0.2",
		"Upgrade package ws to version 7.5.10, 6.2.3 or above.": "7.5.10, 6.2.3", "upgrade to < 3.0.0, >= 2.12.5, < 4.0.0, >= 3.7.2": "2.12.5, 3.7.2", "Upgrade to versions 2.9.5 or 2.8.11 or higher.": "2.9.5, 2.8.11",
		"Exposed to CVE-2020-1.": "",
	} {
		if got := parsers.FixedInWords(sentence); got != want {
			t.Errorf("FixedInWords(%q) = %q, want %q", sentence, got, want)
		}
	}
}
