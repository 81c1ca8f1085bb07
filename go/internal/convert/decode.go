package convert

// What follows sets a field of a struct, or adds to it, from the field that was read last. A struct is read into memory
// that is zero, a value that travels as a message is returned.

func intPointer[T integer](f *fields) *T {
	value := T(f.value)
	return &value
}

func boolPointer(f *fields) *bool {
	value := f.value != 0
	return &value
}

func textPointer[T ~string](f *fields) *T {
	value := T(f.text())
	return &value
}

func bytesPointer(f *fields) *[]byte {
	value := f.setBytes()
	return &value
}

func message[T any](f *fields, from pieces, out **T, parse func(source, *T) error) {
	if from.data != nil && f.err == nil {
		*out = new(T)
		f.fail(parse(f.inside(from.data), *out))
	}
}

func structure[T any](f *fields, from pieces, out *T, parse func(source, *T) error) {
	if from.data != nil && f.err == nil {
		f.fail(parse(f.inside(from.data), out))
	}
}

func wrapped[T any](f *fields, from pieces, out *T, parse func(source) (T, error)) {
	if from.data != nil && f.err == nil {
		value, err := parse(f.inside(from.data))
		*out = value
		f.fail(err)
	}
}

func wrappedPointer[T any](f *fields, from pieces, out **T, parse func(source) (T, error)) {
	if from.data != nil && f.err == nil {
		value, err := parse(f.inside(from.data))
		*out = &value
		f.fail(err)
	}
}

// held is for what an interface without methods holds; not all of them are any.
func held[T any](f *fields, from pieces, out *T) {
	if from.data != nil && f.err == nil {
		value, err := parseValue(f.inside(from.data))
		*out, _ = value.(T)
		f.fail(err)
	}
}

// room returns a list with memory for what is going to be added.
func room[S ~[]E, E any](f *fields, list S) S {
	if list == nil {
		return make(S, 0, f.count())
	}
	return list
}

func texts[S ~[]E, E ~string](f *fields, out *S) {
	*out = append(room(f, *out), E(f.text()))
}

func messages[S ~[]*E, E any](f *fields, out *S, parse func(source, *E) error) {
	item := new(E)
	f.fail(parse(f.element(), item))
	*out = append(room(f, *out), item)
}

func structs[S ~[]E, E any](f *fields, out *S, parse func(source, *E) error) {
	var zero E
	*out = append(room(f, *out), zero)
	f.fail(parse(f.element(), &(*out)[len(*out)-1]))
}

func wrappedList[S ~[]E, E any](f *fields, out *S, parse func(source) (E, error)) {
	item, err := parse(f.element())
	f.fail(err)
	*out = append(room(f, *out), item)
}

// place returns a map to add to.
func place[M ~map[K]V, K comparable, V any](f *fields, out *M) M {
	if *out == nil {
		*out = make(M, f.count())
	}
	return *out
}

// entry begins to read an entry of a map.
func (f *fields) entry() fields { return f.part(f.field).fields() }

func textMap[M ~map[K]V, K, V ~string](f *fields, out *M) {
	var key K
	var value V
	entry := f.entry()
	for entry.next() {
		switch entry.tag {
		case entryKey | octets:
			key = K(entry.text())
		case entryValue | octets:
			value = V(entry.text())
		}
	}
	f.fail(entry.err)
	place(f, out)[key] = value
}

func boolMap[M ~map[K]bool, K ~string](f *fields, out *M) {
	var key K
	var value bool
	entry := f.entry()
	for entry.next() {
		switch entry.tag {
		case entryKey | octets:
			key = K(entry.text())
		case entryValue | varint:
			value = entry.value != 0
		}
	}
	f.fail(entry.err)
	place(f, out)[key] = value
}

// messageEntry reads an entry whose value is a message.
func messageEntry(f *fields) (key string, value source) {
	var from pieces
	entry := f.entry()
	for entry.next() {
		switch entry.tag {
		case entryKey | octets:
			key = entry.text()
		case entryValue | octets:
			from.add(&entry)
		}
	}
	value = entry.inside(from.data)
	f.fail(entry.err)
	return key, value
}

func messageMap[M ~map[K]*V, K ~string, V any](f *fields, out *M, parse func(source, *V) error) {
	key, in := messageEntry(f)
	value := new(V)
	f.fail(parse(in, value))
	place(f, out)[K(key)] = value
}

func structMap[M ~map[K]V, K ~string, V any](f *fields, out *M, parse func(source, *V) error) {
	key, in := messageEntry(f)
	var value V
	f.fail(parse(in, &value))
	place(f, out)[K(key)] = value
}

func wrappedMap[M ~map[K]V, K ~string, V any](f *fields, out *M, parse func(source) (V, error)) {
	key, in := messageEntry(f)
	value, err := parse(in)
	f.fail(err)
	place(f, out)[K(key)] = value
}
