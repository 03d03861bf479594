package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// compare reads a report of audit and says in what it differs from what is
// expected.
func compare(dir, report string) error {
	want := map[string]expected{}
	err := lines(filepath.Join(dir, "expected.jsonl"), func(e expected) {
		want[e.Recipe] = e
	})
	if err != nil {
		return err
	}
	total, wrong, extra := len(want), 0, 0
	err = lines(report, func(e expected) {
		at := strings.Index(e.Recipe, "recipes/project-")
		if plain := strings.Index(e.Recipe, "recipes/plain-"); plain >= 0 {
			at = plain
		}
		if at < 0 {
			return // header and summary
		}
		w, ok := want[e.Recipe[at:]]
		switch {
		case !ok:
			extra++
		case w.Verdict != e.Verdict || w.Code != e.Code:
			if wrong++; wrong <= 10 {
				fmt.Printf("%s: found %s (%s), wanted %s (%s)\n", w.Recipe, e.Verdict, e.Code, w.Verdict, w.Code)
			}
		}
		delete(want, e.Recipe[at:])
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d sources: %d wrong, %d missing, %d too many\n", total, wrong, len(want), extra)
	if wrong+len(want)+extra > 0 {
		return errors.New("the report is wrong")
	}
	return nil
}

func lines(file string, each func(expected)) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for dec := json.NewDecoder(bufio.NewReader(f)); ; {
		var e expected
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		each(e)
	}
}
