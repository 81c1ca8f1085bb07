//go:build tools

// Package conformance pins the programs that judge the Python endpoint.
package conformance

import _ "github.com/summerwind/h2spec/cmd/h2spec"
