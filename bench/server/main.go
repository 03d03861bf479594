// Command server serves a large archive on the loopback interface, and writes
// what is needed to verify it. With -fetch it is the opposite: the smallest
// program around fetch.Client.Archive.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"

	"github.com/recipe-verify/recipe-verify/digest"
	"github.com/recipe-verify/recipe-verify/fetch"
	"github.com/recipe-verify/recipe-verify/internal/sigstoretest"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("server: ")
	size := flag.Int64("size", 1<<30, "bytes of the archive")
	dir := flag.String("dir", "", "write recipes with their evidence into the folders large and small below this one")
	address := flag.String("fetch", "", "fetch this address, print its digest, and end")
	flag.Parse()
	if *address != "" {
		archive, err := new(fetch.Client).Archive(context.Background(), []string{*address}, fetch.ArchiveOptions{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(archive.SHA256)
		return
	}
	if err := serve(*size, *dir); err != nil {
		log.Fatal(err)
	}
}

// content is an archive of any size in little memory: one random block, over
// and over.
type content struct {
	block []byte
	size  int64
}

func newContent(size int64) *content {
	c := &content{block: make([]byte, 4<<20), size: size}
	rand.NewChaCha8([32]byte{}).Read(c.block)
	return c
}

// WriteTo implements io.WriterTo.
func (c *content) WriteTo(w io.Writer) (int64, error) {
	var done int64
	for done < c.size {
		n, err := w.Write(c.block[:min(int64(len(c.block)), c.size-done)])
		done += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (c *content) sha256() digest.SHA256 {
	h := sha256.New()
	c.WriteTo(h) //nolint:errcheck // a hash does not fail
	return digest.SHA256(h.Sum(nil))
}

// serve serves until it is killed. Its first lines on standard output are the
// address and the digest.
func serve(size int64, dir string) error {
	archive := newContent(size)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /archive.tar.gz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.FormatInt(archive.size, 10))
		archive.WriteTo(w) //nolint:errcheck // the client went away
	})
	url, sum := fmt.Sprintf("http://%s/archive.tar.gz", listener.Addr()), archive.sha256()
	if dir != "" {
		s := sigstoretest.New(sigstoretest.Options{})
		if err := writeLarge(s, filepath.Join(dir, "large"), url, sum, mux); err != nil {
			return err
		}
		if err := writeSmall(s, filepath.Join(dir, "small")); err != nil {
			return err
		}
	}
	fmt.Printf("%s\n%s\n", url, sum)
	return http.Serve(listener, mux) //nolint:gosec // loopback, and for minutes
}
