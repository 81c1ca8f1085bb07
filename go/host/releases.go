package host

import (
	"fmt"
	"strconv"
	"strings"
)

// parseRelease splits a release such as 3.11.4 into its numbers.
func parseRelease(text string) ([]int, error) {
	var numbers []int
	for _, part := range strings.Split(text, ".") {
		number, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("%q is no release: %w", text, err)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// compareReleases compares numbers that lack as if they were 0, as PEP 440 does.
func compareReleases(one, other []int) int {
	for i := range max(len(one), len(other)) {
		a, b := 0, 0
		if i < len(one) {
			a = one[i]
		}
		if i < len(other) {
			b = other[i]
		}
		if a != b {
			return a - b
		}
	}
	return 0
}

// fitsRelease says whether a release fits a clause of a range, such as >=3.10 or ==3.12.*. Whatever cannot be read
// fits: the range only explains failures, and chooses among interpreters.
func fitsRelease(clause string, release []int) bool {
	operator := strings.TrimRight(clause, "0123456789.*")
	text, wildcard := strings.CutSuffix(strings.TrimPrefix(clause, operator), ".*")
	wanted, err := parseRelease(text)
	if err != nil {
		return true
	}
	head := release[:min(len(release), len(wanted))]
	switch compared := compareReleases(release, wanted); operator {
	case ">=":
		return compared >= 0
	case "<=":
		return compared <= 0
	case ">":
		return compared > 0
	case "<":
		return compared < 0
	case "==":
		return compared == 0 || (wildcard && compareReleases(head, wanted) == 0)
	case "!=":
		return compared != 0 && !(wildcard && compareReleases(head, wanted) == 0)
	case "~=":
		prefix := wanted[:len(wanted)-1]
		return compared >= 0 && compareReleases(release[:min(len(release), len(prefix))], prefix) == 0
	}
	return true
}

// describeReleases names a range for people: "Python 3.12" for ==3.12.*, else "Python >=3.10,<3.13".
func describeReleases(requires string) string {
	for _, clause := range strings.Split(requires, ",") {
		if release, ok := strings.CutPrefix(clause, "=="); ok {
			return "Python " + strings.TrimSuffix(release, ".*")
		}
	}
	return "Python " + requires
}
