package convert

// Merged decodes a hook's answer into the argument it may replace, as Mattermost's own client does: what the answer
// leaves empty stays as it was, and all of it without an answer. A plugin built before a field existed would otherwise
// erase it. It returns the original.
func Merged[T any](original, answer *T, merge func(out, answer *T)) *T {
	if original == nil {
		return answer
	}
	if answer != nil {
		merge(original, answer)
	}
	return original
}

func mergePointer[T any](out **T, answer *T, merge func(out, answer *T)) {
	switch {
	case answer == nil:
	case *out == nil:
		*out = answer
	default:
		merge(*out, answer)
	}
}

func mergeMap[M ~map[K]V, K comparable, V any](out *M, answer M) {
	if *out == nil {
		if answer != nil {
			*out = answer
		}
		return
	}
	for key, value := range answer {
		(*out)[key] = value
	}
}
