package host

import (
	"os"
	"strings"
)

// By default glibc gives memory back to the system whenever a few hundred KiB at the end of its heap are free. A Python
// process that takes in one large piece after the other, as of an upload or a long message, would give back and ask for
// the same pages again for each of them, and the system has to clear them each time: more than half of the processor
// time of an upload. So it keeps as much as some pieces need. Other C libraries ignore these variables.
var mallocVariables = []string{
	"MALLOC_TRIM_THRESHOLD_=16777216", // octets that may be free at the end of the heap
	"MALLOC_MMAP_THRESHOLD_=16777216", // what is larger gets pages of its own, which are given back at once
	"MALLOC_TOP_PAD_=262144",          // octets asked for beyond what is needed
}

// mallocEnvironment returns those that are not set for the server already, which then holds for its plugins, too.
func mallocEnvironment() []string {
	var env []string
	for _, variable := range mallocVariables {
		name, _, _ := strings.Cut(variable, "=")
		if _, set := os.LookupEnv(name); !set {
			env = append(env, variable)
		}
	}
	return env
}
