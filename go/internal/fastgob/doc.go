// Package fastgob encodes and decodes gob, as encoding/gob does and together with it. What is ordinary it does itself, in
// a third of the time: structs whose fields are numbers, texts, octets, further structs, and lists and pointers of
// these. Everything else, and everything that is wrong, is encoding/gob's: types that encode themselves, most of what
// is in interfaces and maps, and how types are described.
package fastgob
