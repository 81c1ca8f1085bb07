package contracttest

// result returns one of the results of a call, the zero value if there are none or it is nil.
func result[T any](results []any, index int) T {
	var zero T
	if index >= len(results) || results[index] == nil {
		return zero
	}
	return results[index].(T)
}
