// Command peer is the Go side of the tests that send every type of the contract from Go to Python and back. It reads
// requests and writes replies as lines of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

type request struct {
	// Op is "types", "make", "verify" or "echo"; "anykinds", "makeany" and "verifyany" do the same for each type that
	// may stand in an interface.
	Op     string `json:"op"`
	Type   string `json:"type"`
	Kind   int    `json:"kind"`
	Seed   int64  `json:"seed"`
	Sparse bool   `json:"sparse"`
	Data   []byte `json:"data"`
}

type reply struct {
	Names       []string `json:"names,omitempty"`
	Data        []byte   `json:"data,omitempty"`
	Differences []string `json:"differences,omitempty"`
	Error       string   `json:"error,omitempty"`
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func serve() error {
	types := map[string]contracttest.Type{}
	for _, item := range contracttest.Types() {
		types[item.Name] = item
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		answer, err := handle(types, asked)
		if err != nil {
			answer = reply{Error: err.Error()}
		}
		if err := out.Encode(answer); err != nil {
			return fmt.Errorf("write a reply: %w", err)
		}
	}
	return lines.Err()
}

func handle(types map[string]contracttest.Type, asked request) (reply, error) {
	switch asked.Op {
	case "types":
		var names []string
		for _, item := range contracttest.Types() {
			names = append(names, item.Name)
		}
		return reply{Names: names}, nil
	case "anykinds":
		var names []string
		for _, kind := range contracttest.AnyTypes() {
			names = append(names, kind.String())
		}
		return reply{Names: names}, nil
	case "makeany":
		return reply{Data: convert.AppendValue(nil, anyOf(asked))}, nil
	case "verifyany":
		value, err := convert.ParseValue(asked.Data)
		if err != nil {
			return reply{}, fmt.Errorf("parse a Value: %w", err)
		}
		original, returned := contracttest.Holder{Value: anyOf(asked)}, contracttest.Holder{Value: value}
		return reply{Differences: contracttest.Diff(original, returned)}, nil
	}
	item, ok := types[asked.Type]
	if !ok {
		return reply{}, fmt.Errorf("no type %q", asked.Type)
	}
	switch asked.Op {
	case "make":
		return reply{Data: item.Append(nil, filled(item, asked))}, nil
	case "verify":
		returned, err := parsed(item, asked.Data)
		if err != nil {
			return reply{}, err
		}
		return reply{Differences: contracttest.Diff(filled(item, asked), returned)}, nil
	case "echo":
		returned, err := parsed(item, asked.Data)
		if err != nil {
			return reply{}, err
		}
		return reply{Data: item.Append(nil, returned)}, nil
	}
	return reply{}, fmt.Errorf("no operation %q", asked.Op)
}

func filled(item contracttest.Type, asked request) any {
	value := item.New()
	contracttest.NewFiller(asked.Seed, asked.Sparse).Fill(value)
	return value
}

func anyOf(asked request) any {
	return contracttest.NewFiller(asked.Seed, asked.Sparse).Of(contracttest.AnyTypes()[asked.Kind])
}

func parsed(item contracttest.Type, data []byte) (any, error) {
	value := item.New()
	if err := item.Parse(data, value); err != nil {
		return nil, fmt.Errorf("parse a %s: %w", item.Name, err)
	}
	return value, nil
}
