package stream

import (
	"strings"
	"testing"
)

func TestNumbersAsText(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"7.5":     ParseFloat("7.50").String(),
		"0.00044": ParseFloat("0.00044").String(),
		"-3":      ParseInt("-3").String(),
		"":        ParseFloat("high").String() + ParseInt("").String(),
		"a,1":     strings.Join(Strings([]Text{"a", "1"}), ","),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	var v struct {
		Name Text `json:"name"`
	}
	if err := Unmarshal([]byte("{\"name\": \"a\xff\"}"), &v); err != nil || v.Name != "a\ufffd" {
		t.Errorf("got %q, error %v", v.Name, err)
	}
	if err := Unmarshal([]byte(`[]`), &v); err == nil {
		t.Error("a list was read as an object")
	}
}
