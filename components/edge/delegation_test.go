package edge

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// dns answers every question for name servers with these, or with "no such name" where there are none.
func dns(t *testing.T, servers ...string) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return // closed: the test is over
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil {
				continue
			}
			m.Response, m.Additionals = true, nil
			if len(servers) == 0 {
				m.RCode = dnsmessage.RCodeNameError
			}
			for _, s := range servers {
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeNS, Class: dnsmessage.ClassINET, TTL: 60},
					Body:   &dnsmessage.NSResource{NS: dnsmessage.MustNewName(s)},
				})
			}
			if out, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func TestAZoneThatTheInternetDoesNotAsk(t *testing.T) {
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := closed.LocalAddr().String()
	closed.Close()
	set := "At the registrar, or as NS record in the zone above, set its name servers to ns-1.awsdns-1.com, ns-2.awsdns-2.net; "
	for name, tc := range map[string]struct{ resolver, warning, want string }{
		"delegated":       {dns(t, "NS-1.awsdns-1.com.", "ns-9.awsdns-9.org."), "", ""},
		"not delegated":   {dns(t), "", `zoneName is "example.com", which is not delegated: nobody on the internet finds it, and AWS would not prove the certificate. ` + set},
		"to another":      {dns(t, "b.iana.net.", "a.iana.net."), "", `zoneName is "example.com", for which the internet asks a.iana.net, b.iana.net: not this zone, so that AWS would not prove the certificate. ` + set},
		"nobody can tell": {silent, "It is not known whether zone example.com is delegated, as DNS does not answer (", ""},
	} {
		warning, err := delegation("example.com", []string{"ns-2.awsdns-2.net", "ns-1.awsdns-1.com."}, tc.resolver)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tc.want) || (err == nil) != (tc.want == "") || !strings.HasPrefix(warning, tc.warning) || (warning == "") != (tc.warning == "") {
			t.Errorf("%s: got %q, warning %q, want %q, %q", name, got, warning, tc.want, tc.warning)
		}
	}
}
