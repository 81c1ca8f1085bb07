//go:build !linux

package plaincall

const canGiveWay = false

// giveWay is of use on Linux only.
func giveWay() {}
