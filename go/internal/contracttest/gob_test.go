package contracttest

import (
	"bytes"
	"encoding/gob"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
)

// The contract leaves the parameters of an AppError out because they never leave a process.
func TestGobDoesNotCarryTheParametersOfAnAppError(t *testing.T) {
	parameters := func(err *model.AppError) (given []any) {
		err.SystemMessage(func(_ string, args ...any) string {
			given = args
			return ""
		})
		return given
	}
	sent := model.NewAppError("where", "id", map[string]any{"Name": "value"}, "details", 400)
	if len(parameters(sent)) != 1 {
		t.Fatal("the error has no parameters to begin with")
	}
	var buffer bytes.Buffer
	if err := gob.NewEncoder(&buffer).Encode(sent); err != nil {
		t.Fatal(err)
	}
	received := new(model.AppError)
	if err := gob.NewDecoder(&buffer).Decode(received); err != nil {
		t.Fatal(err)
	}
	if given := parameters(received); len(given) != 0 {
		t.Errorf("gob carried %v: the contract can have params", given)
	}
}
