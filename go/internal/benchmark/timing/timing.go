// Package timing measures calls, for the program that measures and for the plugins that it measures.
package timing

import (
	"slices"
	"sync"
	"time"
)

// Timing is what calls took.
type Timing struct {
	Calls   int
	Elapsed time.Duration // all of them together
	Median  time.Duration
	P99     time.Duration // the 99th percentile
}

// Repeat calls once from so many callers for so long, at least once each. A caller whose call fails makes no more, and
// the error of one is returned.
func Repeat(callers int, duration time.Duration, once func() error) (Timing, error) {
	times := make([][]time.Duration, callers)
	failures := make([]error, callers)
	var done sync.WaitGroup
	start := time.Now()
	until := start.Add(duration)
	for i := range callers {
		done.Go(func() {
			for begin := time.Now(); ; {
				if failures[i] = once(); failures[i] != nil {
					return
				}
				end := time.Now()
				times[i] = append(times[i], end.Sub(begin))
				if !end.Before(until) {
					return
				}
				begin = end
			}
		})
	}
	done.Wait()
	elapsed := time.Since(start)
	for _, err := range failures {
		if err != nil {
			return Timing{}, err
		}
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	return Timing{Calls: len(all), Elapsed: elapsed, Median: all[len(all)/2], P99: all[len(all)*99/100]}, nil
}
