package verdict

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
)

// packing compresses the parts of inputs while they are written.
type packing struct {
	mu    sync.Mutex
	parts map[string]*packed
}

// packed is one part.
type packed struct {
	bytes.Buffer

	zip *gzip.Writer
}

func newPacking() *packing { return &packing{parts: map[string]*packed{}} }

// writer returns where a part is written to.
func (p *packing) writer(name string) io.Writer {
	one := &packed{}
	one.zip, _ = gzip.NewWriterLevel(one, gzip.BestSpeed) // a level that there is
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parts[name] = one
	return one.zip
}

// pack returns what is stored of the inputs: each part by its digest, with the
// list of them, whose digest stands for all.
func (g *gathering) pack(digests *gate.InputDigests, p *packing) (byDigest map[string][]byte, digest []byte, err error) {
	byDigest = map[string][]byte{}
	add := func(content []byte) (string, error) {
		d := strings.TrimPrefix(policies.Digest(content), "sha256:")
		packed, err := compress(content)
		byDigest[d] = packed
		return d, err
	}
	m := inputManifest{Now: policies.Moment(g.now), Parts: map[string]string{}}
	for name, d := range policies.PartDigests(digests) {
		one := p.parts[name]
		if one == nil {
			return nil, nil, errors.New("inputs: " + name + " was not kept")
		}
		if err := one.zip.Close(); err != nil {
			return nil, nil, err
		}
		m.Parts[name] = strings.TrimPrefix(d, "sha256:")
		byDigest[m.Parts[name]] = one.Bytes()
	}
	request, err := json.Marshal(g.request)
	if err != nil {
		return nil, nil, err
	}
	if m.Request, err = add(request); err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, nil, err
	}
	d, err := add(text)
	if err != nil {
		return nil, nil, err
	}
	digest, err = hex.DecodeString(d)
	return byDigest, digest, err
}

// inputManifest names the parts of a verdict's inputs by their digests.
type inputManifest struct {
	Now         time.Time         `json:"now"`
	Provisional bool              `json:"provisional"`
	Parts       map[string]string `json:"parts"`
	Request     string            `json:"request,omitempty"` // what was asked, to ask it again
}

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func decompress(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
