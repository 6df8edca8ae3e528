package postgres

import (
	"fmt"
	"strings"
)

// setting is a line of PostgreSQL's configuration.
type setting struct{ name, value string }

// settings suits a cluster to the machine and to our load: bulk imports, and
// reads of a working set that fits in memory.
// https://www.postgresql.org/docs/current/runtime-config.html
func settings(m machine, lz4 bool) []setting {
	memory, disk := m.memory, m.disk
	if memory == 0 {
		memory = 2 * gB
	}
	if disk == 0 {
		disk = 20 * gB
	}
	wal := between(256*mB, disk/10, 4*gB)
	all := []setting{
		{"shared_buffers", size(between(32*mB, memory/4, 2*gB))},
		{"effective_cache_size", size(max(memory/2, 64*mB))},
		{"work_mem", size(between(4*mB, memory/256, 32*mB))},
		{"maintenance_work_mem", size(between(32*mB, memory/16, 512*mB))},
		{"max_wal_size", size(wal)},
		{"min_wal_size", size(between(80*mB, wal/4, gB))},
		{"checkpoint_timeout", "15min"},
		{"random_page_cost", "1.1"}, // flash, not spindles
		{"jit", "off"},              // costs more than it brings for queries as short as ours
		{"autovacuum_naptime", "15s"},
		{"max_connections", "100"},
	}
	if m.shm > 0 && m.shm < 256*mB { // 64 MB in a container: parallel queries would fail
		all = append(all, setting{"dynamic_shared_memory_type", "mmap"})
	}
	if lz4 {
		all = append(all, lz4Settings...)
	} else {
		all = append(all, setting{"wal_compression", "on"})
	}
	return all
}

// lz4Settings need PostgreSQL 15, and one that was built with lz4.
var lz4Settings = []setting{{"wal_compression", "lz4"}, {"default_toast_compression", "lz4"}}

// throwaway trades every safety for speed: a test's cluster is deleted anyway.
var throwaway = []setting{
	{"fsync", "off"},
	{"synchronous_commit", "off"},
	{"full_page_writes", "off"},
	{"shared_buffers", "64MB"},
	{"max_wal_size", "1GB"},
	{"min_wal_size", "80MB"},
	{"max_connections", "200"},
	{"autovacuum", "off"},
	{"wal_level", "minimal"},
	{"max_wal_senders", "0"},
}

// fixed is the same everywhere: who may connect, the log, and the locale.
func (c *Cluster) fixed() []setting {
	return []setting{
		{"listen_addresses", ""}, // no network: the socket's folder is the door
		{"unix_socket_directories", c.socket},
		{"unix_socket_permissions", "0700"},
		{"hba_file", c.path("hba.conf")},
		{"ident_file", c.path("ident.conf")},
		{"timezone", "UTC"},
		{"log_timezone", "UTC"},
		{"lc_messages", "C"},
		{"default_text_search_config", "pg_catalog.english"},
		{"logging_collector", "on"}, // a week of logs, each day's overwritten a week later
		{"log_directory", c.path("log")},
		{"log_filename", "postgresql-%a.log"},
		{"log_truncate_on_rotation", "on"},
		{"log_rotation_age", "1d"},
		{"log_rotation_size", "0"},
		{"log_line_prefix", "%m [%p] "},
		{"cluster_name", "defectdojo"},
	}
}

// write returns the text of a configuration file.
func write(all []setting) string {
	var b strings.Builder
	b.WriteString("# Written by defectdojo at each start. Your own settings belong in custom.conf beside this file.\n")
	for _, s := range all {
		fmt.Fprintf(&b, "%s = '%s'\n", s.name, strings.ReplaceAll(s.value, "'", "''"))
	}
	b.WriteString("include_if_exists = 'custom.conf'\n")
	return b.String()
}

// between keeps n within least and most.
func between(least, n, most int64) int64 { return min(max(n, least), most) }

// size writes bytes in PostgreSQL's way.
func size(n int64) string { return fmt.Sprintf("%dkB", n/kB) }
