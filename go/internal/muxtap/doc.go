// Package muxtap carries single streams of a go-plugin connection past its yamux session.
//
// Between a server and a plugin over net/rpc there is one connection, on which yamux carries a stream for the hooks,
// one for the API, one for the database driver, and one for each body of a request or file. In hashicorp's yamux each
// write to a stream is handed to a goroutine, waited for, and written to the socket by itself, header and content
// apart. That is most of what a small call costs the bridge. A [Tap] lies between the session and the socket. It
// passes on all frames but those of the streams that it was told to expect, by the numbers under which go-plugin's
// broker lets them be dialled: those are read from and written to directly, and what several goroutines write at the
// same time goes to the socket at once.
//
// The session sees how such a stream begins and how it ends, and nothing of what it carries. Windows are kept for it
// here, as yamux's specification says.
package muxtap
