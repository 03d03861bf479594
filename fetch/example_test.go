package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/recipe-verify/recipe-verify/fetch"
)

// An archive is measured, not kept. The addresses are mirrors of each other.
func ExampleClient_Archive() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "the archive")
	}))
	defer server.Close()

	var client fetch.Client
	defer client.Close()
	archive, err := client.Archive(context.Background(), []string{server.URL + "/gone", server.URL + "/here"}, fetch.ArchiveOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(archive.Size, "bytes, sha256", archive.SHA256)
	// Output: 11 bytes, sha256 c8d18c54d108f4f0237eb4e1c4473cfd3dbd267afe97c2d967003bda0f546e08
}

// Without a network, a folder stands for the internet. What it lacks does not
// exist.
func ExampleClient_Document_offline() {
	folder, err := os.MkdirTemp("", "mirror")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if err := os.MkdirAll(filepath.Join(folder, "pypi.org", "simple"), 0o700); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "pypi.org", "simple", "flask"), []byte("{}"), 0o600); err != nil {
		log.Fatal(err)
	}

	mirror, err := fetch.ParseMirror("https://pypi.org=" + folder)
	if err != nil {
		log.Fatal(err)
	}
	client := &fetch.Client{Mirrors: []fetch.Mirror{mirror}, Offline: true}
	document, err := client.Document(context.Background(), "https://pypi.org/simple/flask/", fetch.DocumentOptions{})
	fmt.Printf("%s %v\n", document.Body, err)

	var missing *fetch.NotFoundError
	_, err = client.Document(context.Background(), "https://pypi.org/simple/django/", fetch.DocumentOptions{})
	fmt.Println(errors.As(err, &missing))
	// Output:
	// {} <nil>
	// true
}

// URLs may hold secrets, and are not printed as they are.
func ExampleRedact() {
	fmt.Println(fetch.Redact("https://me:secret@example.com/file?token=secret"))
	// Output: https://example.com/file?token=xxxxx
}
