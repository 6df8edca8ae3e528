package server

import (
	"context"
	"fmt"
	"os"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/auth"
)

// first is what a first start has made, to be shown once and never logged.
type first struct {
	auth.Admin
	token string // of the uploader
}

// firstStart makes the administrator of a new database, and a token to try the
// uploader with.
func (s *Server) firstStart(ctx context.Context) (first, error) {
	if !s.cfg.Role.Serves() {
		return first{}, nil
	}
	admin, err := auth.EnsureAdmin(ctx, s.store, s.cfg.AdminUser, s.cfg.AdminPassword)
	if err != nil || !admin.Created {
		return first{}, err
	}
	account, err := s.store.Account(ctx, admin.Username)
	if err != nil {
		return first{}, err
	}
	token, _, err := s.auth.AddToken(ctx, account.User, auth.NewToken{Name: "first upload", Scope: gate.ScopeImport})
	return first{admin, token}, err
}

// welcome tells where to go, how to log in, and what to try.
func (n *node) welcome(f first) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nDefectDojo is at %s\n", n.server.site)
	if n.cfg.Role == Worker {
		b.Reset()
		fmt.Fprintf(&b, "\nDefectDojo's worker runs; its health is at %s/readyz\n", n.server.site)
	}
	fmt.Fprintf(&b, "  database   %s\n  data       %s\n", n.db.name, n.cfg.DataDir)
	if n.cfg.LogFile != "" {
		fmt.Fprintf(&b, "  log        %s\n", n.cfg.LogFile)
	}
	if n.cfg.BlobURL == "" && n.cfg.DatabaseURL != "" {
		b.WriteString("  reports    in the data folder: set DD_BLOB_URL if several nodes share the database\n")
	}
	if f.Created {
		fmt.Fprintf(&b, "  log in as  %s\n", f.Username)
		if f.Password != "" {
			fmt.Fprintf(&b, "  password   %s   (shown this once)\n", f.Password)
		} else {
			b.WriteString("  password   the one in DD_ADMIN_PASSWORD\n")
		}
		fmt.Fprintf(&b, "\nUpload a report and gate on it (the token is shown this once):\n  DD_URL=%s DD_TOKEN=%s %s --product demo %s\n",
			n.server.site, f.token, uploader(), sample())
	}
	fmt.Fprintf(&b, "\nStop it with %s.\n", n.stopper())
	n.say(b.String())
}

// fromSource tells whether the program was started by go run, in the project.
func fromSource() bool {
	exe, err := os.Executable()
	_, err2 := os.Stat("cmd/defectdojo-upload")
	return err == nil && err2 == nil && strings.Contains(exe, "go-build")
}

func uploader() string { return program("defectdojo-upload") }

func (n *node) stopper() string {
	if n.cfg.Background {
		return program("defectdojo-stop")
	}
	return "Ctrl-C or " + program("defectdojo-stop")
}

func program(name string) string {
	if fromSource() {
		return "go run ./cmd/" + name
	}
	return name
}

// ourSample is a report of the project's own.
const ourSample = "parsers/trivy/testdata/many_image.json"

// sample returns a report to try: the project's if it is here.
func sample() string {
	if _, err := os.Stat(ourSample); err != nil {
		return "report.json"
	}
	return ourSample
}
