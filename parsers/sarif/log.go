package sarif

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/parsers/stream"
)

// Run is one execution of one tool, without its results.
type Run struct {
	Tool        Tool
	Invocations []Invocation
	Provenance  []Provenance // of the code that was read
	External    External

	artifacts []stream.Text // their URIs, by index
	rules     map[string]*Rule
	number    int
}

// Tool is the program and its extensions.
type Tool struct {
	Driver     Component                   `json:"driver"`
	Extensions stream.OneOrMany[Component] `json:"extensions"`
}

// Component is the tool's main part or an extension, which brings rules.
type Component struct {
	Name                  stream.Text             `json:"name"`
	Version               stream.Text             `json:"version"`
	SemanticVersion       stream.Text             `json:"semanticVersion"`
	DottedQuadFileVersion stream.Text             `json:"dottedQuadFileVersion"`
	Rules                 []Rule                  `json:"rules"`
	Messages              map[stream.Text]Message `json:"globalMessageStrings"`
	Properties            Properties              `json:"properties"`
}

// Rule is what a tool says of one of its checks.
type Rule struct {
	ID            stream.Text             `json:"id"`
	Name          stream.Text             `json:"name"`
	Short         *Message                `json:"shortDescription"`
	Full          *Message                `json:"fullDescription"`
	Help          *Message                `json:"help"`
	HelpURI       stream.Text             `json:"helpUri"`
	Messages      map[stream.Text]Message `json:"messageStrings"`
	Configuration struct {
		Level stream.Text `json:"level"`
	} `json:"defaultConfiguration"`
	Relationships []struct {
		Target struct {
			ID stream.Text `json:"id"`
		} `json:"target"`
	} `json:"relationships"`
	Properties Properties `json:"properties"`

	read     bool     // what follows is made of it
	tags     []string // as it writes them
	cwes     []int
	severity string // GitHub's "security-severity"
}

// about returns the rule with what its results ask for each time.
func (r *Rule) about() *Rule {
	if r.read {
		return r
	}
	r.read, r.tags, r.severity = true, r.Properties.List("tags"), r.Properties.Text("security-severity")
	names := r.tags
	if r.Relationships != nil {
		names = nil
		for _, to := range r.Relationships {
			names = append(names, string(to.Target.ID))
		}
	}
	r.cwes = weaknesses(names)
	return r
}

// Invocation tells how the tool was run and how that ended.
type Invocation struct {
	ExecutionSuccessful        stream.Text    `json:"executionSuccessful"`
	StartTimeUTC               stream.Text    `json:"startTimeUtc"`
	EndTimeUTC                 stream.Text    `json:"endTimeUtc"`
	ExitCode                   stream.Text    `json:"exitCode"`
	ExitCodeDescription        stream.Text    `json:"exitCodeDescription"`
	ExitSignalName             stream.Text    `json:"exitSignalName"`
	ProcessStartFailureMessage stream.Text    `json:"processStartFailureMessage"`
	ExecutionNotifications     []Notification `json:"toolExecutionNotifications"`
	ConfigurationNotifications []Notification `json:"toolConfigurationNotifications"`
}

// Notification is what a tool says of its own run.
type Notification struct {
	Level      stream.Text `json:"level"`
	Message    Message     `json:"message"`
	Locations  []Location  `json:"locations"`
	Descriptor struct {
		ID stream.Text `json:"id"`
	} `json:"descriptor"`
	Exception struct {
		Message stream.Text `json:"message"`
	} `json:"exception"`
}

// Provenance says which version of the code was read.
type Provenance struct {
	RepositoryURI stream.Text `json:"repositoryUri"`
	RevisionID    stream.Text `json:"revisionId"`
}

// External says what of the run is in other files.
type External struct{ Results bool }

// Message is a text, or the name of one with arguments.
type Message struct {
	Text      stream.Text   `json:"text"`
	Markdown  stream.Text   `json:"markdown"`
	ID        stream.Text   `json:"id"`
	Arguments []stream.Text `json:"arguments"`
}

// UnmarshalJSONFrom reads a message, which some tools write as a string.
func (m *Message) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return m.Text.UnmarshalJSONFrom(d)
	}
	type plain Message
	return unmarshal(d, (*plain)(m))
}

// Result is one thing that a tool says, at one or several places. Walk uses it
// and its lists again for the next: keep its texts, not them.
type Result struct {
	RuleID    stream.Text `json:"ruleId"`
	RuleIndex stream.Int  `json:"ruleIndex"`
	Rule      struct {
		ID            stream.Text `json:"id"`
		Index         stream.Int  `json:"index"`
		ToolComponent struct {
			Name  stream.Text `json:"name"`
			Index stream.Int  `json:"index"`
		} `json:"toolComponent"`
	} `json:"rule"`
	Kind                stream.Text   `json:"kind"`
	Level               stream.Text   `json:"level"`
	Message             Message       `json:"message"`
	Locations           []Location    `json:"locations"`
	Related             []Location    `json:"relatedLocations"`
	CodeFlows           []CodeFlow    `json:"codeFlows"`
	Fingerprints        Fingerprints  `json:"fingerprints"`
	PartialFingerprints Fingerprints  `json:"partialFingerprints"`
	Baseline            stream.Text   `json:"baselineState"`
	OccurrenceCount     stream.Int    `json:"occurrenceCount"`
	HostedViewerURI     stream.Text   `json:"hostedViewerUri"`
	WorkItemURIs        []stream.Text `json:"workItemUris"`
	Suppressions        []struct {
		Status        stream.Text `json:"status"`
		Justification stream.Text `json:"justification"`
	} `json:"suppressions"`
	Fixes []struct {
		Description Message `json:"description"`
	} `json:"fixes"`
	Taxa []struct { // what it is an instance of, as CWE's weaknesses
		ID            stream.Text `json:"id"`
		ToolComponent struct {
			Name stream.Text `json:"name"`
		} `json:"toolComponent"`
	} `json:"taxa"`
	Properties Properties `json:"properties"`

	places int // that were read
}

// Location is a place in a file, and in the program's structure.
type Location struct {
	ID       stream.Text `json:"id"`
	Message  Message     `json:"message"`
	Physical Physical    `json:"physicalLocation"`
	Logical  stream.OneOrMany[struct {
		Name               stream.Text `json:"name"`
		FullyQualifiedName stream.Text `json:"fullyQualifiedName"`
		Kind               stream.Text `json:"kind"`
	}] `json:"logicalLocations"`
}

// Physical is a place in a file.
type Physical struct {
	Artifact struct {
		URI   stream.Text `json:"uri"`
		Index stream.Int  `json:"index"`
	} `json:"artifactLocation"`
	Region  Region  `json:"region"`
	Context *Region `json:"contextRegion"` // which few have
}

// Region is a part of a file.
type Region struct {
	StartLine  stream.Int `json:"startLine"`
	EndLine    stream.Int `json:"endLine"`
	ByteOffset stream.Int `json:"byteOffset"`
	Snippet    Message    `json:"snippet"`
}

// CodeFlow is a way of execution that leads to the result.
type CodeFlow struct {
	Message     Message      `json:"message"`
	ThreadFlows []ThreadFlow `json:"threadFlows"`
}

// ThreadFlow is the part of a way that one thread goes.
type ThreadFlow struct {
	Locations []Step `json:"locations"`
}

// Step is a step of a way.
type Step struct {
	Location Location `json:"location"`
}

// Properties is a bag of values that the standard does not name.
type Properties map[string]jsontext.Value

// UnmarshalJSONFrom reads an object and skips anything else.
func (p *Properties) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	return unmarshal(d, (*map[string]jsontext.Value)(p))
}

// Text returns a property as a text.
func (p Properties) Text(name string) string {
	v, ok := p[name]
	if !ok {
		return ""
	}
	return scalar(v)
}

// List returns a property that is a list of texts, or one text.
func (p Properties) List(name string) []string {
	v, ok := p[name]
	if !ok {
		return nil
	}
	var list stream.OneOrMany[stream.Text]
	if unmarshalText(v, &list) != nil {
		return nil
	}
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = string(t)
	}
	return texts
}

// Fingerprints are names and values that identify a result, in the log's order.
type Fingerprints []Fingerprint

// Fingerprint is one of them. Its name may end in a version, "name/v2".
type Fingerprint struct {
	Name    string
	Version int
	Value   string
}

// UnmarshalJSONFrom reads an object and skips anything else.
func (f *Fingerprints) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err == nil {
		f.read(stream.NewCursor(v))
	}
	return err
}

// add adds a fingerprint. Of a name with several versions the newest stays.
func (f *Fingerprints) add(p Fingerprint) {
	at := slices.IndexFunc(*f, func(q Fingerprint) bool { return q.Name == p.Name })
	switch {
	case at < 0:
		*f = append(*f, p)
	case (*f)[at].Version < p.Version:
		(*f)[at] = p
	}
}

func fingerprint(name string) Fingerprint {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		if v := stream.ParseInt(strings.TrimPrefix(name[i+1:], "v")); v.OK {
			return Fingerprint{Name: name[strings.LastIndexByte(name[:i], '/')+1 : i], Version: v.N}
		}
	}
	return Fingerprint{Name: name}
}

// fingerprintValue reads a fingerprint's text: Black Duck wraps it in an object,
// {"value": "…"}.
func fingerprintValue(c *stream.Cursor) string {
	if c.Kind() != '{' {
		return string(c.Text())
	}
	raw := c.Raw()
	var wrapped struct {
		Value stream.Text `json:"value"`
	}
	if unmarshalText(raw, &wrapped) == nil && wrapped.Value != "" {
		return string(wrapped.Value)
	}
	return scalar(raw)
}

// ID returns the fingerprints as one id: the first of them.
func (f Fingerprints) ID() string {
	if len(f) == 0 {
		return ""
	}
	return f[0].Value
}

// Joined returns all of them, sorted by name: "a:1|b:2".
func (f Fingerprints) Joined() string {
	if len(f) == 1 {
		return f[0].Name + ":" + f[0].Value
	}
	sorted := slices.SortedFunc(slices.Values(f), func(a, b Fingerprint) int { return cmp.Compare(a.Name, b.Name) })
	texts := make([]string, len(sorted))
	for i, p := range sorted {
		texts[i] = p.Name + ":" + p.Value
	}
	return strings.Join(texts, "|")
}
