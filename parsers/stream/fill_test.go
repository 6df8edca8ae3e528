package stream

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestElementAsEncodingXML fails when Element fills a struct otherwise than
// encoding/xml does.
func TestElementAsEncodingXML(t *testing.T) {
	t.Parallel()
	type part struct {
		ID    string `xml:"id,attr"`
		Text  string `xml:",chardata"`
		Parts []part `xml:"parts>part"`
	}
	type word string
	type item struct {
		XMLName xml.Name
		A       string   `xml:"a,attr"`
		B       string   `xml:"b"`
		Deep    string   `xml:"l>m>n"`
		Many    []string `xml:"l>x"`
		Word    word     `xml:"w"`
		One     part     `xml:"one"`
		Parts   []part   `xml:"part"`
		More    []part   `xml:"l>part"`
		Text    string   `xml:",chardata"`
	}
	for name, element := range map[string]string{
		"whole":    `<i a="1">x<b> two </b>y<l><m><n>3</n></m><x>4</x><x/></l><w>w</w><one id="o">t<parts><part id="p"/></parts></one><part>5</part><l><part id="6">7</part></l>z</i>`,
		"empty":    `<i/>`,
		"repeated": `<i><b>1</b><b>2</b><one id="1">a</one><one>b</one><l><m><n>1</n></m></l><l><x>2</x><m><n>3</n><n/></m></l></i>`,
		"others":   `<i c="2"><c>x</c><l>text<k><x>no</x></k></l><![CDATA[<b>no</b>]]></i>`,
		"spaces":   `<i xmlns="urn:x" xmlns:p="urn:y" p:a="1"><p:b>2</p:b></i>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want item
			if err := xml.Unmarshal([]byte(element), &want); err != nil {
				t.Fatal(err)
			}
			in, err := NewInput(t.Context(), strings.NewReader("<r><i><b>of another</b><l><x>x</x></l></i>"+element+"</r>"), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var got item
			if err := XML(in, []string{"r"}, Elements{"r/i": Element(func(v item) error { got = v; return nil })}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-encoding/xml +ours:\n%s", diff)
			}
		})
	}
}

func TestElementRefusesTypes(t *testing.T) {
	t.Parallel()
	defer func() {
		if v := recover(); v == nil {
			t.Error("a field of type int is taken")
		}
	}()
	Element(func(struct {
		N int `xml:"n"`
	},
	) error {
		return nil
	})
}
