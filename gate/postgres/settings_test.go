package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		m    machine
		want map[string]string
	}{
		{"unknown", machine{}, map[string]string{"shared_buffers": "524288kB", "max_wal_size": "2097152kB", "dynamic_shared_memory_type": ""}},
		{"small_container", machine{512 * mB, 3 * gB, 64 * mB}, map[string]string{
			"shared_buffers": "131072kB", "work_mem": "4096kB", "max_wal_size": "314572kB", "dynamic_shared_memory_type": "mmap",
		}},
		{"large", machine{256 * gB, 1000 * gB, 128 * gB}, map[string]string{
			"shared_buffers": "2097152kB", "work_mem": "32768kB", "maintenance_work_mem": "524288kB", "max_wal_size": "4194304kB", "dynamic_shared_memory_type": "",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := map[string]string{}
			for name := range tt.want {
				got[name] = ""
			}
			for _, s := range settings(tt.m, false) {
				if _, ok := got[s.name]; ok {
					got[s.name] = s.value
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	if m := measure(t.TempDir()); m.memory < 64*mB || m.disk <= 0 {
		t.Errorf("measure = %+v", m)
	}
}
