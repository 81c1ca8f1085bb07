package host

import "errors"

var (
	// ErrManifest says that plugin.json cannot be read or that one of its keys has a wrong value.
	ErrManifest = errors.New("bad manifest")

	// ErrNoInterpreter says that no program was found that could run the entrypoint.
	ErrNoInterpreter = errors.New("no interpreter found")

	// ErrInterpreterTooOld says that the interpreter is a Python older than the SDK needs.
	ErrInterpreterTooOld = errors.New("interpreter is too old")

	// ErrWrongInterpreter says that the interpreter is a Python that the bundle was not built for.
	ErrWrongInterpreter = errors.New("interpreter is not the one that the bundle needs")

	// ErrNoExecutable says that the bundle has no executable for this platform.
	ErrNoExecutable = errors.New("no executable found")

	// ErrOutsideBundle says that a path of the bundle leads out of it.
	ErrOutsideBundle = errors.New("outside of the bundle")

	// ErrEntrypoint says that the entrypoint is not a file.
	ErrEntrypoint = errors.New("entrypoint not found")

	// ErrChecksum says that a file of the bundle is not the one that was built.
	ErrChecksum = errors.New("checksum mismatch")

	// ErrExited says that the plugin process ended before it was ready, or while it was being activated.
	ErrExited = errors.New("plugin process ended")

	// ErrStartTimeout says that the plugin process runs but did not become ready in time.
	ErrStartTimeout = errors.New("plugin process did not become ready")

	// ErrHandshake says that the plugin process is not a plugin this host understands.
	ErrHandshake = errors.New("handshake failed")

	// ErrStopped says that the plugin was stopped.
	ErrStopped = errors.New("plugin is stopped")
)

// lineError is an error that reads as one clear line and still is the sentinel it wraps for errors.Is.
type lineError struct {
	line string
	kind error
}

func (e *lineError) Error() string { return e.line }
func (e *lineError) Unwrap() error { return e.kind }
