package main

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestServerVersionReadsTheCommentsStatement(t *testing.T) {
	for doc, want := range map[string]string{
		"Does a thing.\n\nMinimum server version: 5.2":      "5.2",
		"@tag User\nMinimum server version: 10.11\nMore.":   "10.11",
		"Minimum server version: v9.5.2 (Enterprise only)":  "9.5",
		"minimum Server Version:5.10":                       "5.10",
		"Says nothing about it.":                            "",
		"Minimum server version: the one after the present": "",
	} {
		if got := serverVersion(doc); got != want {
			t.Errorf("serverVersion(%q) = %q, want %q", doc, got, want)
		}
	}
}

func TestExtractGivesTheSameTwiceAndTheWholeContract(t *testing.T) {
	first, second := extracted(t), extracted(t)
	firstJSON, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	secondJSON, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if string(firstJSON) != string(secondJSON) {
		t.Error("two runs differ")
	}

	counts := map[string]int{}
	for _, extracted := range first.Interfaces {
		counts[extracted.Name] = len(extracted.Methods)
	}
	// 51 hooks beside Implemented.
	if want := map[string]int{"Hooks": 52, "API": 258, "Driver": 20}; !reflect.DeepEqual(counts, want) {
		t.Errorf("methods: %v, want %v", counts, want)
	}
}

func extracted(t *testing.T) *contract {
	t.Helper()
	src, err := load(".")
	if err != nil {
		t.Fatal(err)
	}
	result, err := extract(src)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
