//go:build linux

// Command measure compares commands that hash the same download: wall time,
// CPU time and peak memory of whole processes, in alternating rounds. Its own
// memory stays small, for on Linux a child's peak begins at its parent's.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// sample is what one run of a command cost, all its processes together.
type sample struct {
	wall, cpu time.Duration
	rss       int64 // bytes, of the largest process
}

// contender is a way to do the job: processes that form a pipe.
type contender struct {
	name    string
	pipe    [][]string
	wanted  string // what the output must hold
	samples []sample
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("measure", flag.ContinueOnError)
	var (
		rounds  = flags.Int("rounds", 7, "how often each command runs")
		url     = flags.String("url", "", "the archive's address")
		sha256  = flags.String("sha256", "", "its digest")
		fetcher = flags.String("fetch", "", "a program that takes an address and prints the digest of what is there")
		verify  = flags.String("verify", "", "the recipe-verify program")
		large   = flags.String("large", "", "a folder with recipe.yaml and root.json, whose archive is at the address")
		small   = flags.String("small", "", "the same with a small source, and a folder internet with its archive and evidence")
		strict  = flags.Bool("strict", false, "fail where a limit is not kept")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	base := &contender{
		name: "curl | openssl", wanted: *sha256,
		pipe: [][]string{{"curl", "-s", *url}, {"openssl", "dgst", "-sha256"}},
	}
	all := []*contender{base, {name: "fetch.Client.Archive", wanted: *sha256, pipe: [][]string{{*fetcher, "-fetch", *url}}}}
	if *verify != "" {
		all = append(all, &contender{
			name: "recipe-verify verify", wanted: *sha256,
			pipe: [][]string{{*verify, "verify", "--no-policy", "--format", "json", "--trusted-root", *large + "/root.json", *large + "/recipe.yaml"}},
		})
	}
	if err := alternate(all, *rounds); err != nil {
		return err
	}
	ok := compare(base, all)
	if *verify != "" && *small != "" {
		one := &contender{
			name: "verify, small source", wanted: `"verified"`,
			pipe: [][]string{{
				*verify, "verify", "--no-policy", "--format", "json", "--offline", "--mirror", "https://=" + *small + "/internet",
				"--trusted-root", *small + "/root.json", *small + "/recipe.yaml",
			}},
		}
		if err := alternate([]*contender{one}, 3**rounds); err != nil {
			return err
		}
		cpu := median(one.samples, func(s sample) float64 { return s.cpu.Seconds() })
		ok = limit("CPU of verify of one small source, milliseconds", 1000*cpu, 40) && ok
	}
	if !ok && *strict {
		return fmt.Errorf("a limit was not kept")
	}
	return nil
}

// alternate runs each command once a round, so that whatever else the machine
// does meets all alike. The first round warms up and does not count.
func alternate(all []*contender, rounds int) error {
	for round := range rounds + 1 {
		for _, c := range all {
			s, err := c.once()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 {
				c.samples = append(c.samples, s)
			}
		}
	}
	return nil
}

// once runs the pipe and adds up what its processes cost.
func (c *contender) once() (sample, error) {
	var out bytes.Buffer
	var commands []*exec.Cmd
	for i, args := range c.pipe {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stderr = os.Stderr
		if i > 0 {
			// A real pipe, of which this program holds no end once both run.
			r, w, err := os.Pipe()
			if err != nil {
				return sample{}, err
			}
			defer r.Close()
			defer w.Close()
			commands[i-1].Stdout, cmd.Stdin = w, r
		}
		commands = append(commands, cmd)
	}
	commands[len(commands)-1].Stdout = &out
	began := time.Now()
	for _, cmd := range commands {
		if err := cmd.Start(); err != nil {
			return sample{}, err
		}
		for _, end := range []any{cmd.Stdin, cmd.Stdout} {
			if f, ok := end.(*os.File); ok {
				f.Close()
			}
		}
	}
	var s sample
	for _, cmd := range commands {
		if err := cmd.Wait(); err != nil {
			return sample{}, fmt.Errorf("%s: %w\n%s", cmd, err, out.String())
		}
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		s.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		s.rss = max(s.rss, usage.Maxrss<<10)
	}
	s.wall = time.Since(began)
	if !strings.Contains(out.String(), c.wanted) {
		return sample{}, fmt.Errorf("found the output %q, wanted %q in it", out.String(), c.wanted)
	}
	return s, nil
}

func median(samples []sample, of func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}

// compare prints medians, and the limits of the command (or of fetch alone,
// where there is no command) against base.
func compare(base *contender, all []*contender) bool {
	wall := func(s sample) float64 { return s.wall.Seconds() }
	cpu := func(s sample) float64 { return s.cpu.Seconds() }
	rss := func(s sample) float64 { return float64(s.rss) / (1 << 20) }
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "command\twall s\tCPU s\tpeak MiB\twall ratio\tCPU ratio")
	for _, c := range all {
		w, u := median(c.samples, wall), median(c.samples, cpu)
		fmt.Fprintf(table, "%s\t%.3f\t%.3f\t%.1f\t%.2f\t%.2f\n", c.name, w, u, median(c.samples, rss),
			w/median(base.samples, wall), u/median(base.samples, cpu))
	}
	table.Flush()
	last := all[len(all)-1]
	ok := limit("wall time against curl | openssl", median(last.samples, wall)/median(base.samples, wall), 1.1)
	ok = limit("CPU against curl | openssl", median(last.samples, cpu)/median(base.samples, cpu), 1) && ok
	peak := slices.MaxFunc(last.samples, func(a, b sample) int { return int(a.rss - b.rss) })
	return limit("peak memory, MiB", rss(peak), 64) && ok
}

func limit(what string, got, most float64) bool {
	verdict := "kept"
	if got > most {
		verdict = "NOT KEPT"
	}
	fmt.Printf("%s: %.2f, at most %.2f: %s\n", what, got, most, verdict)
	return got <= most
}
