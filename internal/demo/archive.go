package demo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"slices"
	"time"
)

// tree is the content of an archive, by path below its top folder.
type tree map[string]string

// fileTime is the time of all files in archives, so that they are the same at
// every run.
var fileTime = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

// archive packs the tree as a .tar.gz, below a top folder.
func (t tree) archive(top string) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: top + "/" + name, Size: int64(len(t[name])),
			Mode: 0o644, ModTime: fileTime, Format: tar.FormatUSTAR,
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(t[name])); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
