package gate

import (
	"slices"
	"testing"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    Observation
		want []string
	}{
		{Observation{}, nil},
		{Observation{CVE: "CVE-2024-1"}, []string{"CVE-2024-1"}},
		{Observation{CVE: "CVE-2024-1", VulnerabilityIDs: []string{"GHSA-x"}}, []string{"GHSA-x"}},
	} {
		if got := c.o.IDs(); !slices.Equal(got, c.want) {
			t.Errorf("IDs of %+v = %q, want %q", c.o, got, c.want)
		}
	}
}
