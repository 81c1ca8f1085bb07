package service_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

const withRPCErr = "WithRPCErr"

// reportingHooks calls f with each hook that has a variant which tells whether the call failed.
func reportingHooks(t *testing.T, f func(m method, args, results []any)) {
	t.Helper()
	variants := reflect.TypeFor[plugin.HooksWithRPCErr]()
	found := 0
	for seed, m := range methodsOf(t, reflect.TypeFor[plugin.Hooks](), hooksService) {
		if _, ok := variants.MethodByName(m.name + withRPCErr); !ok {
			continue
		}
		found++
		filler := contracttest.NewFiller(int64(seed), false)
		args := filled(filler, m.goType.NumIn(), m.goType.In)
		results := filled(filler, m.goType.NumOut(), m.goType.Out)
		if mixed(m.name) {
			args[1] = reflect.New(m.goType.In(1).Elem()).Interface()
		}
		f(m, args, results)
	}
	if found != variants.NumMethod() {
		t.Errorf("%d of %d methods are variants of a hook", found, variants.NumMethod())
	}
}

func TestAHookThatReportsFailuresReturnsWhatThePluginSaid(t *testing.T) {
	var reply proto.Message
	client := pluginProcess(t, func(string, proto.Message) (proto.Message, error) { return reply, nil }, service.HooksOptions{})
	if err := client.OnActivate(); err != nil {
		t.Fatal(err)
	}
	reportingHooks(t, func(m method, args, results []any) {
		reply = expected(m.descriptor.Output(), results)
		got := callHook(client, m.name+withRPCErr, args)
		if found := contracttest.Diff(append(results, nil), got); len(found) > 0 {
			t.Errorf("%s: %s", m.name, strings.Join(found, "; "))
		}
	})
}

func TestAHookThatReportsFailuresReturnsNothingElseAndAsksNoPolicy(t *testing.T) {
	reject := service.HooksOptions{OnFailure: func(hook string, _ error) service.Decision {
		t.Errorf("%s asked the policy", hook)
		return service.Reject("no")
	}}
	answering := nothing
	client := pluginProcess(t, func(hook string, in proto.Message) (proto.Message, error) { return answering(hook, in) }, reject)
	if err := client.OnActivate(); err != nil {
		t.Fatal(err)
	}
	answering = failing
	reportingHooks(t, func(m method, args, _ []any) {
		got := callHook(client, m.name+withRPCErr, args)
		var failure *service.HookError
		if err, _ := got[len(got)-1].(error); !errors.As(err, &failure) || failure.Hook != m.name || failure.Code != codes.Internal {
			t.Errorf("%s: got %v", m.name, got)
		}
		for _, value := range got[:len(got)-1] {
			if value != nil && !reflect.ValueOf(value).IsZero() {
				t.Errorf("%s: %v beside the failure", m.name, value)
			}
		}
	})
}
