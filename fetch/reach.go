package fetch

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// reach says how close to this machine an address is. The order matters: a
// redirect may lead to an address of at most the reach of the address that the
// recipe or the user named.
type reach int32

const (
	public reach = iota
	private
	loopback
	forbidden // refused whoever names it
)

func (r reach) String() string {
	switch r {
	case public:
		return "public"
	case private:
		return "private"
	case loopback:
		return "loopback"
	}
	return "link-local, unspecified or multicast"
}

// Networks that netip has no predicate for. See the special-purpose address
// registries of RFC 6890.
var (
	thisNetwork   = netip.MustParsePrefix("0.0.0.0/8")
	reserved      = netip.MustParsePrefix("240.0.0.0/4")
	sharedSpace   = netip.MustParsePrefix("100.64.0.0/10")   // RFC 6598, carrier-grade NAT
	ietfProtocols = netip.MustParsePrefix("192.0.0.0/24")    // RFC 6890
	benchmarking  = netip.MustParsePrefix("198.18.0.0/15")   // RFC 2544
	siteLocal     = netip.MustParsePrefix("fec0::/10")       // RFC 3879, deprecated
	nat64         = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052
	nat64Local    = netip.MustParsePrefix("64:ff9b:1::/48")  // RFC 8215
	sixToFour     = netip.MustParsePrefix("2002::/16")       // RFC 3056
	v4Compatible  = netip.MustParsePrefix("::/96")           // RFC 4291, deprecated
	translated    = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765
)

// Cloud metadata services hand out credentials. Most are link-local; these are
// the ones that are not.
var metadataServices = [...]netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // Amazon
	netip.MustParseAddr("fd00:ec2::23"),    // Amazon, pods
	netip.MustParseAddr("fd20:ce::254"),    // Google
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("192.0.0.192"),     // Oracle
	netip.MustParseAddr("fd00:42::42"),     // Scaleway
}

// reachOf classifies an address. IPv4 addresses inside IPv6 ones count as what
// they are.
func reachOf(a netip.Addr) reach {
	a = a.WithZone("").Unmap()
	if a.Is6() {
		if v4, ok := embedded(a); ok {
			return max(reachOf6(a), reachOf(v4))
		}
		return reachOf6(a)
	}
	switch {
	case !a.IsValid(), a.IsLinkLocalUnicast(), a.IsMulticast(), thisNetwork.Contains(a), reserved.Contains(a), isMetadata(a):
		return forbidden
	case a.IsLoopback():
		return loopback
	case a.IsPrivate(), sharedSpace.Contains(a), ietfProtocols.Contains(a), benchmarking.Contains(a):
		return private
	}
	return public
}

func reachOf6(a netip.Addr) reach {
	switch {
	case a.IsUnspecified(), a.IsLinkLocalUnicast(), a.IsMulticast(), isMetadata(a):
		return forbidden
	case a.IsLoopback():
		return loopback
	case a.IsPrivate(), siteLocal.Contains(a), nat64Local.Contains(a):
		return private
	}
	return public
}

func isMetadata(a netip.Addr) bool {
	for _, m := range metadataServices {
		if a == m {
			return true
		}
	}
	return false
}

// embedded gives the IPv4 address that a packet to an IPv6 address ends up at.
func embedded(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case nat64.Contains(a), translated.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case v4Compatible.Contains(a) && !a.IsUnspecified() && !a.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:16])), true
	}
	return netip.Addr{}, false
}

// asciiHost maps the host of a URL by IDNA (RFC 5891, section 5), as net/http
// does before it dials: so that 127。0。0。1 and ⓟypi.org are taken for what they
// lead to by everything that looks at the host, and the header Host, which
// net/http maps otherwise, names the same one.
func asciiHost(u *url.URL) error {
	if !strings.ContainsFunc(u.Host, notASCII) {
		return nil
	}
	host, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil {
		return fmt.Errorf("the host %q, neither a name nor a full address", u.Hostname())
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = host
	return nil
}

func notASCII(r rune) bool { return r >= utf8.RuneSelf }

// reachOfHost classifies the host of a URL as far as its text tells: an
// address that is written out, or a name with a fixed meaning (RFC 6761). Any
// other name counts as public here; what it resolves to is checked when it is
// dialled.
func reachOfHost(host string, classify func(netip.Addr) reach) (reach, error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return classify(addr), nil
	}
	switch {
	case host == "":
		return forbidden, fmt.Errorf("no host")
	case strings.HasSuffix(host, "."), strings.ContainsFunc(host, notASCII):
		return forbidden, fmt.Errorf("the host %q, neither a name nor a full address", host)
	case host == "localhost", strings.HasSuffix(host, ".localhost"), host == "localhost.localdomain":
		return loopback, nil
	case host == "metadata.google.internal", host == "metadata.goog":
		return forbidden, nil
	case endsInNumber(host):
		// 2130706433, 0x7f.1 and 127.1 are 127.0.0.1 to some resolvers.
		return forbidden, fmt.Errorf("the host %q, neither a name nor a full address", host)
	}
	return public, nil
}

// endsInNumber is the "ends in a number checker" of the WHATWG URL standard.
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" {
		return false
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
