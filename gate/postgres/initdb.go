package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// command returns one of PostgreSQL's programs. It gets no more of our
// environment than it needs: no secret of ours, no language.
func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.Installation.Bin, program), args...) //nolint:gosec,noctx // ours; its end is spawn's business
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	if libs, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libs)
	}
	return cmd
}

// finish runs cmd as the cluster's owner and returns what it printed.
func (c *Cluster) finish(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := spawn(cmd, c.owner, syscall.SIGTERM)
	if err != nil {
		return "", err
	}
	select {
	case <-p.gone:
	case <-ctx.Done():
		_ = syscall.Kill(-p.pid, syscall.SIGTERM)
		<-p.gone
		return out.String(), ctx.Err()
	}
	return out.String(), p.err
}

// reach checks that PostgreSQL's user gets to the folder and to the programs:
// root's own home, for one, is closed to it.
func (c *Cluster) reach(ctx context.Context) error {
	cmd := c.command("postgres", "--version")
	cmd.Dir = c.path("cluster")
	if out, err := c.finish(ctx, cmd); err != nil {
		return fmt.Errorf("the user %s, as whom PostgreSQL runs, must be able to enter the folder and to run %s: %w %s",
			c.owner.name, cmd.Path, err, out)
	}
	return nil
}

// create makes the cluster beside its place and then moves it there, so that
// half a cluster never stands in it.
func (c *Cluster) create(ctx context.Context) error {
	c.Say(fmt.Sprintf("Creating a private PostgreSQL %s in %s", c.Installation.Version, c.Dir))
	half := c.path("cluster/data.init")
	out, err := c.initdb(ctx, half, "C.UTF-8")
	if err != nil && strings.Contains(out, "locale") { // not every system has that one
		out, err = c.initdb(ctx, half, "C")
	}
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.Rename(half, c.data()); err != nil {
		return err
	}
	return syncFolder(c.path("cluster"))
}

func (c *Cluster) initdb(ctx context.Context, dir, locale string) (string, error) {
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	args := []string{"-D", dir, "-U", superuser, "-E", "UTF8", "--data-checksums", "--no-instructions", "--auth-local=peer", "--auth-host=reject"}
	if c.Installation.Major >= 17 { // PostgreSQL's own locale does not change with the system's libraries
		args = append(args, "--locale=C", "--locale-provider=builtin", "--builtin-locale="+locale)
	} else {
		args = append(args, "--locale="+locale)
	}
	if c.Throwaway {
		args = append(args, "--no-sync")
	}
	return c.finish(ctx, c.command("initdb", args...))
}

// syncFolder makes a rename in dir survive a loss of power.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// configure writes the configuration, which is ours and not in the data, anew:
// the machine may have grown, and another user may run it.
func (c *Cluster) configure(ctx context.Context) error {
	we, err := me()
	if err != nil {
		return err
	}
	all := append(settings(measure(c.Dir), c.lz4(ctx)), c.fixed()...)
	if c.Throwaway {
		all = append(all, throwaway...)
	}
	files := map[string]string{
		"server.conf": write(all),
		"hba.conf":    "# Only we may connect, through the socket.\nlocal all all peer map=defectdojo\n",
		"ident.conf":  fmt.Sprintf("defectdojo %[1]q %[2]s\ndefectdojo %[1]q %[3]s\n", we.name, superuser, Name),
	}
	for name, text := range files {
		if err := os.WriteFile(c.path(name), []byte(text), 0o644); err != nil { //nolint:gosec // PostgreSQL's user reads it; it holds no secret
			return err
		}
	}
	return nil
}

// lz4 tells whether PostgreSQL was built with that compression, by asking it.
func (c *Cluster) lz4(ctx context.Context) bool {
	args := []string{"-D", c.data(), "-C", "wal_compression"}
	for _, s := range lz4Settings {
		args = append(args, "-c", s.name+"="+s.value)
	}
	_, err := c.finish(ctx, c.command("postgres", args...))
	return err == nil
}
