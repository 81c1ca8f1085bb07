//go:build !linux

package zerocopy

import "net"

// lender does not exist on this system.
type lender struct{}

func newLender(net.Conn) *lender { return nil }

func (*lender) isFree(int64) bool          { return false }
func (*lender) room() []byte               { return nil }
func (*lender) next(int64)                 {}
func (*lender) lend(int, int) (int, error) { return 0, nil }
func (*lender) release()                   {}
