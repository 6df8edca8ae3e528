package api

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
)

// Limits of the fields beside a report.
const (
	maxFields     = 1000
	maxFieldBytes = 1 << 20
)

// extensions are those of files that may hold a report. A file without one may, too.
var extensions = []string{
	".xml", ".csv", ".nessus", ".json", ".jsonl", ".html", ".js", ".zip", ".xlsx", ".txt", ".sarif", ".fpr", ".md", ".log", ".fvdl", ".gz", ".yaml", ".yml", ".cdx",
}

// upload is a report that came with a form, in a file of its own.
type upload struct {
	values   url.Values
	filename string // without folders; "" if there was none
	path     string
	size     int64
	sum      [sha256.Size]byte
}

// remove removes the file.
func (u *upload) remove() {
	if u.path != "" {
		_ = os.Remove(u.path)
	}
}

// receive reads the body, a multipart form, while it comes in: the report goes
// to a file and through SHA-256, and never is in memory as a whole.
func (r *request) receive(boundary string) (*upload, error) {
	limit := r.MaxReport + maxFieldBytes
	if n := int64(r.Request().Header.ContentLength()); n > limit {
		return nil, r.reportTooLarge()
	}
	body := r.Context().RequestBodyStream()
	if body == nil { // an app that reads bodies before its handlers run
		body = bytes.NewReader(r.Body())
	}
	u := &upload{values: url.Values{}}
	in := bufio.NewReader(io.LimitReader(body, limit+1))
	err := r.eachPart(multipart.NewReader(in, boundary), u)
	if err == nil { // what follows the form, if only the end of the last chunk, is none of the next request
		_, err = io.Copy(io.Discard, in)
	}
	if err != nil {
		u.remove()
		return nil, err
	}
	return u, nil
}

func (r *request) eachPart(parts *multipart.Reader, u *upload) error {
	space := int64(maxFieldBytes)
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF { //nolint:errorlint // multipart returns it bare
			return nil
		}
		if err != nil {
			return broken(err)
		}
		if n >= maxFields {
			return gate.Errorf(gate.TooLarge, "The form has more than %d fields.", maxFields)
		}
		name := strings.TrimSpace(part.FormName()) // some clients send a space before it
		if name == "file" && part.FileName() != "" {
			err = r.keep(part, u)
		} else {
			err = readField(part, name, u.values, &space)
		}
		if err != nil {
			return err
		}
	}
}

func readField(part *multipart.Part, name string, into url.Values, space *int64) error {
	b, err := io.ReadAll(io.LimitReader(part, *space+1))
	if err != nil {
		return broken(err)
	}
	if *space -= int64(len(b)); *space < 0 {
		return gate.Errorf(gate.TooLarge, "The form's fields are larger than %d bytes.", maxFieldBytes)
	}
	into.Add(name, string(b))
	return nil
}

// keep writes the report to a file of its own. Of several, the last counts.
func (r *request) keep(part *multipart.Part, u *upload) (err error) {
	u.remove()
	f, err := os.CreateTemp(r.UploadDir, "report-*")
	if err != nil {
		return err
	}
	u.path = f.Name()
	defer func() { err = errors.Join(err, f.Close()) }()
	name := strings.ReplaceAll(part.FileName(), `\`, "/")
	if u.filename = path.Base(name); u.filename == "." || u.filename == "/" {
		u.filename = "report"
	}
	sum := sha256.New()
	u.size, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(part, r.MaxReport+1))
	if err != nil {
		return broken(err)
	}
	if u.size > r.MaxReport {
		return r.reportTooLarge()
	}
	copy(u.sum[:], sum.Sum(nil))
	return nil
}

func (r *request) reportTooLarge() error {
	return gate.Errorf(gate.TooLarge, "Report file is too large. Maximum supported size is %d MB", r.MaxReport>>20)
}

// broken tells a form that cannot be read: it broke off, or never was one.
func broken(err error) error {
	if _, ours := errors.AsType[*os.PathError](err); ours { // the disk's fault
		return err
	}
	return fail{fiber.StatusBadRequest, detail("Multipart form parse error - " + err.Error())}
}

// checkFile notes what is wrong with the report's file.
func (u *upload) checkFile(f *form, scanType string) {
	ext := strings.ToLower(path.Ext(u.filename))
	switch {
	case u.path == "" && strings.TrimSpace(f.values.Get("file")) != "":
		f.problems.add("file", "The submitted data was not a file. Check the encoding type on the form.")
	case u.path == "":
		f.problems.add("non_field_errors", "Uploading a Report File is required for %s", scanType)
	case ext != "" && ext != "." && !slices.Contains(extensions, ext):
		f.problems.add("file", "Unsupported extension. Supported extensions are as follows: %s", strings.Join(extensions, ", "))
	}
}
