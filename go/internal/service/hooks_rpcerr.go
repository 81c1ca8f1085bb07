package service

// callFailure remembers that a call failed, for a caller that wants to know. nil: nobody does.
type callFailure struct{ failed *HookError }

func (f *callFailure) set(failed *HookError) {
	if f != nil {
		f.failed = failed
	}
}

// err is the failure, nil if the call came back.
func (f *callFailure) err() error {
	if f.failed == nil {
		return nil
	}
	return f.failed
}

// reporting returns the same hooks for one call, whose failure is kept and no matter for OnFailure: whoever asks for
// it decides.
func (h *HooksClient) reporting() *HooksClient {
	call := *h
	call.failure = &callFailure{}
	return &call
}
