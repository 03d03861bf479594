package fetch

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// fakeDNS resolves names as the table says: each question takes the next
// address, the last one stays. Other names do not exist.
func fakeDNS(t *testing.T, table map[string][]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var mu sync.Mutex
	next := func(name string) (netip.Addr, bool) {
		mu.Lock()
		defer mu.Unlock()
		list := table[name]
		if len(list) == 0 {
			return netip.Addr{}, false
		}
		if len(list) > 1 {
			table[name] = list[1:]
		}
		return netip.MustParseAddr(list[0]), true
	}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := resolve(buf[:n], next); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func resolve(query []byte, next func(string) (netip.Addr, bool)) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil, err
	}
	q := m.Questions[0]
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionAvailable: true}
	m.Additionals = nil
	if q.Type == dnsmessage.TypeA {
		name := q.Name.String()
		addr, ok := next(name[:len(name)-1])
		if ok {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.AResource{A: addr.As4()},
			}}
		} else {
			m.RCode = dnsmessage.RCodeNameError
		}
	}
	return m.Pack()
}
