package fetch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/jdx/go-netrc"
)

// maxNetrc caps the netrc file, in bytes.
const maxNetrc = 1 << 20

// login is one entry of a netrc file.
type login struct{ user, password string }

// authorization gives the Authorization header for the first request to an
// address, or "". In order: userinfo of the address, a token, netrc.
func (e *engine) authorization(u *url.URL, mirrored bool) string {
	if u.User != nil {
		password, _ := u.User.Password()
		return basic(u.User.Username(), password)
	}
	if token := e.token(u); token != "" && !mirrored {
		return "Bearer " + token
	}
	if l, ok := e.logins[strings.ToLower(u.Hostname())]; ok {
		return basic(l.user, l.password)
	}
	return ""
}

// token gives the token for exactly this host and port. Tokens do not travel
// in the clear, except within this machine.
func (e *engine) token(u *url.URL) string {
	if u.Scheme != "https" {
		addr, err := netip.ParseAddr(u.Hostname())
		if err != nil || !addr.IsLoopback() {
			return ""
		}
	}
	return e.tokens[canonicalHost(u)]
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// readNetrc reads the file that $NETRC names, else the one in the home folder.
// It returns no logins, and an error to log, where it cannot. The "default"
// entry is left out: a recipe chooses the host, and must not choose who gets
// the user's password.
func readNetrc(env func(string) string) (map[string]login, error) {
	path, named := env("NETRC"), true
	if path == "" {
		path, named = homeNetrc(env), false
	}
	if path == "" {
		return nil, nil
	}
	// Opening a pipe would wait for its writer, and nothing could end that.
	info, err := os.Stat(path)
	if err != nil {
		if !named && errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNetrc+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxNetrc {
		return nil, fmt.Errorf("%q is too large: wanted at most %d bytes", path, maxNetrc)
	}
	return parseNetrc(string(text))
}

func homeNetrc(env func(string) string) string {
	home, name := env("HOME"), ".netrc"
	if runtime.GOOS == "windows" {
		home, name = env("USERPROFILE"), "_netrc"
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, name)
}

// parseNetrc gives the logins by host name, the first entry of each.
func parseNetrc(text string) (logins map[string]login, err error) {
	// The library indexes past the end of a truncated file.
	defer func() {
		if recover() != nil {
			logins, err = nil, errors.New("malformed netrc file")
		}
	}()
	parsed, err := netrc.ParseString(entriesOnly(text))
	if err != nil {
		return nil, errors.New("malformed netrc file")
	}
	logins = map[string]login{}
	for _, m := range parsed.Machines() {
		host := strings.ToLower(m.Name)
		l := login{user: m.Get("login"), password: m.Get("password")}
		if m.IsDefault || l.user == "" || l.password == "" {
			continue
		}
		if _, ok := logins[host]; !ok {
			logins[host] = l
		}
	}
	return logins, nil
}

// entriesOnly drops comments, and macros (which end at an empty line): the
// library would take their words for entries.
func entriesOnly(text string) string {
	var kept []string
	macro := false
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		comment := slices.IndexFunc(words, func(w string) bool { return w[0] == '#' })
		switch {
		case len(words) == 0:
			macro = false
			continue
		case macro:
			continue
		case words[0] == "macdef":
			macro = true
			continue
		case comment >= 0:
			words = words[:comment]
		}
		kept = append(kept, words...)
	}
	return strings.Join(kept, " ") + "\n"
}
