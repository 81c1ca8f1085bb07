// Package child runs a plugin as a child process: in a process group of its own that ends with it, with its output read
// line by line and turned into log records.
package child
