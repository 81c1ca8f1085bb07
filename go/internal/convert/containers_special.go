package convert

// ListOf converts every element of a list.
func ListOf[A, B any](in []A, convert func(A) B) []B {
	if in == nil {
		return nil
	}
	out := make([]B, len(in))
	for i, item := range in {
		out[i] = convert(item)
	}
	return out
}

// ListOfRefs converts every struct of a list.
func ListOfRefs[A, B any](in []A, convert func(*A) *B) []*B {
	if in == nil {
		return nil
	}
	out := make([]*B, len(in))
	for i := range in {
		out[i] = convert(&in[i])
	}
	return out
}

// ListInto makes a list of structs, each filled in place.
func ListInto[A, B any](in []*A, fill func(*B, *A)) []B {
	if in == nil {
		return nil
	}
	out := make([]B, len(in))
	for i, item := range in {
		if item != nil {
			fill(&out[i], item)
		}
	}
	return out
}

// MapOf converts every value of a map, whose keys become To.
func MapOf[To, From ~string, A, B any](in map[From]A, convert func(A) B) map[To]B {
	if in == nil {
		return nil
	}
	out := make(map[To]B, len(in))
	for key, item := range in {
		out[To(key)] = convert(item)
	}
	return out
}

// MapOfRefs converts every struct of a map.
func MapOfRefs[To, From ~string, A, B any](in map[From]A, convert func(*A) *B) map[To]*B {
	if in == nil {
		return nil
	}
	out := make(map[To]*B, len(in))
	for key, item := range in {
		out[To(key)] = convert(&item)
	}
	return out
}

// MapInto makes a map of structs. B must not hold a mutex.
func MapInto[To, From ~string, A, B any](in map[From]*A, fill func(*B, *A)) map[To]B {
	if in == nil {
		return nil
	}
	out := make(map[To]B, len(in))
	for key, item := range in {
		var value B
		if item != nil {
			fill(&value, item)
		}
		out[To(key)] = value
	}
	return out
}
