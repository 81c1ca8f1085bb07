package timed_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/timed"
)

// observed notes what is measured.
type observed struct{ lines []string }

func (o *observed) ObservePluginHookDuration(pluginID, hookName string, success bool, elapsed float64) {
	o.lines = append(o.lines, fmt.Sprint("hook ", pluginID, " ", hookName, " ", success, elapsed >= 0))
}

func (o *observed) ObservePluginAPIDuration(pluginID, apiName string, success bool, elapsed float64) {
	o.lines = append(o.lines, fmt.Sprint("API ", pluginID, " ", apiName, " ", success, elapsed >= 0))
}

func TestEveryCallOfTheAPIIsMeasuredUnderItsName(t *testing.T) {
	api := reflect.TypeFor[plugin.API]()
	for i := range api.NumMethod() {
		name, goType := api.Method(i).Name, api.Method(i).Type
		called := ""
		metrics := &observed{}
		measured := timed.NewAPI(contracttest.APIFunc(func(method string, _ ...any) []any {
			called = method
			return nil
		}), "p", metrics)
		function := reflect.ValueOf(measured).MethodByName(name)
		args := make([]reflect.Value, goType.NumIn())
		for j := range args {
			args[j] = reflect.Zero(goType.In(j))
		}
		if goType.IsVariadic() {
			function.CallSlice(args)
		} else {
			function.Call(args)
		}
		require.Equal(t, name, called)
		require.Equal(t, []string{"API p " + name + " true true"}, metrics.lines)
	}
}

func TestACallThatReturnsAnErrorIsNoSuccess(t *testing.T) {
	metrics := &observed{}
	api := timed.NewAPI(contracttest.APIFunc(func(method string, _ ...any) []any {
		if method == "GetUser" {
			return []any{nil, model.NewAppError("", "id", nil, "", 404)}
		}
		return []any{errors.New("no")}
	}), "p", metrics)
	_, _ = api.GetUser("u")
	_ = api.RegisterCommand(nil)
	require.Equal(t, []string{"API p GetUser false true", "API p RegisterCommand false true"}, metrics.lines)
}

// hooks are hooks that can report failures, of which some are called.
type hooks struct {
	contracttest.HooksFunc
	plugin.HooksWithRPCErr
}

func (h hooks) MessageHasBeenPostedWithRPCErr(*plugin.Context, *model.Post) error {
	return errors.New("gone")
}

func TestHooksAreMeasuredWithTheirVariants(t *testing.T) {
	metrics := &observed{}
	measured := timed.NewHooks(hooks{HooksFunc: func(string, ...any) []any { return nil }}, "p", metrics)
	_ = measured.OnActivate()
	measured.MessageHasBeenPosted(nil, nil)
	require.Error(t, measured.MessageHasBeenPostedWithRPCErr(nil, nil))
	require.Equal(t, []string{
		"hook p OnActivate true true", "hook p MessageHasBeenPosted true true", "hook p MessageHasBeenPostedWithRPCErr false true",
	}, metrics.lines)
}
