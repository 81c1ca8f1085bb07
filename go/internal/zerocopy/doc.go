// Package zerocopy sends over Unix sockets without copying.
//
// What is to be sent is read into a file that lies in memory only, and the socket takes the file's pages as they are
// (sendfile). The reader's copy is the only one that is left. A page may be written to again when its reader has it,
// which the socket tells (SIOCOUTQ).
package zerocopy
