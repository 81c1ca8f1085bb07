//go:build !linux

package plaincall

// giveWay is of use on Linux only.
func giveWay() {}
