package host_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
)

// The build has the same table (tests/unit/cli/test_rules.py).
func TestManifestsGetTheVerdictsThatTheBuildGives(t *testing.T) {
	raw, err := os.ReadFile("../../tests/bundle/manifests.json")
	require.NoError(t, err)
	var table []struct {
		Name, Refused string
		Change        map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(raw, &table))
	for _, entry := range table {
		t.Run(entry.Name, func(t *testing.T) {
			onlyPath(t, "python3")
			b := newBundle(t)
			b.manifest(func(manifest, _ map[string]any) {
				for key, value := range entry.Change {
					set(manifest, strings.Split(key, "."), value)
				}
			})
			_, err := host.FromManifest(b.dir)
			if entry.Refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, host.ErrManifest)
			require.Regexp(t, `^plugin\.json: `+entry.Refused+` (must be|is) `, err.Error())
		})
	}
}

// set puts a value at a key of several levels; null removes the key.
func set(table map[string]any, key []string, value json.RawMessage) {
	for _, name := range key[:len(key)-1] {
		if _, ok := table[name]; !ok {
			table[name] = map[string]any{}
		}
		table = table[name].(map[string]any)
	}
	if last := key[len(key)-1]; string(value) == "null" {
		delete(table, last)
	} else {
		table[last] = value
	}
}

func TestASettingThatIsLeftOutHasTheDefaultOfTheSchema(t *testing.T) {
	require.Equal(t, 1000, host.DefaultSettings().QueueSize)
	require.Equal(t, host.Allow, host.DefaultSettings().OnFailure)
}
