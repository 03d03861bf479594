package fetch

import (
	"net/netip"
	"testing"
)

func TestReachOf(t *testing.T) {
	for in, want := range map[string]reach{
		"8.8.8.8": public, "1.1.1.1": public, "172.15.255.255": public, "172.32.0.0": public, "100.63.255.255": public,
		"100.128.0.0": public, "192.169.0.0": public, "169.253.255.255": public, "2606:4700::1111": public, "2a00::1": public,
		"10.0.0.1": private, "172.16.0.1": private, "172.31.255.255": private, "192.168.1.1": private, "100.64.0.1": private,
		"198.18.0.1": private, "192.0.0.8": private, "fc00::1": private, "fdff::1": private, "fec0::1": private, "64:ff9b:1::1": private,
		"127.0.0.1": loopback, "127.255.255.254": loopback, "::1": loopback,
		"169.254.169.254": forbidden, "169.254.0.0": forbidden, "fe80::1": forbidden, "fe80::1%eth0": forbidden, "febf::1": forbidden,
		"0.0.0.0": forbidden, "0.1.2.3": forbidden, "::": forbidden, "224.0.0.1": forbidden, "239.255.255.255": forbidden,
		"240.0.0.1": forbidden, "255.255.255.255": forbidden, "ff02::1": forbidden, "ff0e::1": forbidden,
		"fd00:ec2::254": forbidden, "100.100.100.200": forbidden,
		// IPv4 addresses within IPv6 ones.
		"::ffff:8.8.8.8": public, "::ffff:10.0.0.1": private, "::ffff:127.0.0.1": loopback, "::ffff:169.254.169.254": forbidden, "::ffff:0.0.0.0": forbidden,
		"64:ff9b::8.8.8.8": public, "64:ff9b::10.0.0.1": private, "64:ff9b::127.0.0.1": loopback, "64:ff9b::169.254.169.254": forbidden,
		"2002:0808:0808::": public, "2002:7f00:1::": loopback, "2002:a9fe:a9fe::1": forbidden, "2002:a00:1::": private,
		"::8.8.8.8": public, "::127.0.0.1": loopback, "::169.254.169.254": forbidden, "::ffff:0:127.0.0.1": loopback,
	} {
		if got := reachOf(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s is %s, wanted %s", in, got, want)
		}
	}
	if got := reachOf(netip.Addr{}); got != forbidden {
		t.Errorf("no address is %s, wanted %s", got, forbidden)
	}
}

func TestReachOfHost(t *testing.T) {
	for in, want := range map[string]reach{
		"pypi.org": public, "PyPI.org.": public, "a.b1": public, "notlocalhost": public, "localhost.example": public,
		"0xg": public, "face": public, "1.2.3.4.example": public,
		"localhost": loopback, "LOCALHOST": loopback, "localhost.": loopback, "a.localhost": loopback, "127.0.0.1": loopback,
		"127.0.0.1.": loopback, "::1": loopback, "10.0.0.1": private, "169.254.1.1": forbidden, "metadata.google.internal": forbidden,
		"METADATA.google.internal.": forbidden,
	} {
		got, err := reachOfHost(in, reachOf)
		if err != nil || got != want {
			t.Errorf("%q is %s, %v, wanted %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", ".", "127.1", "1", "2130706433", "0x7f000001", "0X7F.1", "017700000001", "127.0.0.01", "a.0x", "a.1", "1.2.3.4.5"} {
		if got, err := reachOfHost(in, reachOf); err == nil || got != forbidden {
			t.Errorf("%q is %s, wanted an error", in, got)
		}
	}
}
