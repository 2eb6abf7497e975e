package haproxy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

// texts is one value for every text that haproxy.cfg can hold.
type texts struct {
	address, network, nameserver, certificate, socket, cookie, user      string
	route, host, path, oldAddress, oldHost, newName, newHost, healthPath string
}

var harmless = texts{
	address: "127.0.0.1", network: "10.0.0.0/8", nameserver: "10.0.0.2:53", certificate: "/etc/site.pem", socket: "/tmp/admin.sock",
	cookie: "session", user: "admin", route: "site", host: "shop.example.com", path: "/shop", oldAddress: "192.0.2.1",
	oldHost: "www.example.com", newName: "door.example.com", newHost: "new.example.com", healthPath: "/health",
}

// config has every text, each in every place that such a text has.
func (s texts) config(from, to int, keep bool) haproxy.Config {
	return haproxy.Config{
		Address: s.address,
		Listeners: []haproxy.Listener{
			{Port: 8000, RedirectToHTTPS: true, TrustedSources: []string{s.network}, ProxyProtocolSources: []string{s.network}},
			{Port: 8443, Certificate: s.certificate},
		},
		Old:        &haproxy.System{Addresses: []string{s.oldAddress}, Host: s.oldHost, HealthPath: s.healthPath},
		New:        &haproxy.System{Name: s.newName, Host: s.newHost, TLS: true, CAFile: s.certificate, HealthPath: s.healthPath},
		Routes:     []haproxy.Route{{Name: s.route, Hosts: []string{s.host}, Paths: []string{s.path}, OldWeight: from, NewWeight: to}},
		Cookie:     s.cookie,
		KeepShares: keep,
		Resolver:   haproxy.Resolver{Nameservers: []string{s.nameserver}},
		Health:     haproxy.Health{Path: s.healthPath},
		Statistics: &haproxy.Statistics{User: s.user, Sources: []string{s.network}},
		Process:    haproxy.Process{Socket: s.socket, KeepUser: true},
	}
}

// words is a line as HAProxy's parser takes it apart (configuration manual, 2.2), for what the renderer uses of it.
func words(line string) []string {
	var out []string
	var word strings.Builder
	in, quote := false, rune(0)
	end := func() {
		if in {
			out = append(out, word.String())
		}
		word.Reset()
		in = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, in = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			end()
		case quote == 0 && r == '#':
			end()
			return out
		default:
			word.WriteRune(r)
			in = true
		}
	}
	end()
	return out
}

func lines(text string) [][]string {
	var out [][]string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }) {
		if w := words(line); len(w) > 0 {
			out = append(out, w)
		}
	}
	return out
}

func FuzzRender(f *testing.F) {
	_, _, pem := selfSigned(f, "shop.example.com")
	add := func(change func(*texts)) {
		s := harmless
		change(&s)
		f.Add(s.address, s.network, s.nameserver, s.certificate, s.socket, s.cookie, s.user, s.route, s.host, s.path,
			s.oldAddress, s.oldHost, s.newName, s.newHost, s.healthPath, 90, 10, false)
	}
	add(func(*texts) {})
	for _, nasty := range []string{
		"\n  stats enable", "\r\nbackend x", "\x00", "'", "\"", "\\", "#", "$HOME", "${HOME}", " ", "\t", "é", "\u2028", "%[src]", "%", ",", ")", "{", "-f", "--", "!", "*", "?", "\\n", "\x7f",
	} {
		add(func(s *texts) {
			s.address, s.network, s.nameserver, s.certificate = s.address+nasty, s.network+nasty, s.nameserver+nasty, s.certificate+nasty
			s.socket, s.cookie, s.user, s.route = s.socket+nasty, s.cookie+nasty, s.user+nasty, s.route+nasty
			s.host, s.oldAddress, s.oldHost, s.newName, s.newHost = s.host+nasty, s.oldAddress+nasty, s.oldHost+nasty, s.newName+nasty, s.newHost+nasty
		})
		add(func(s *texts) { s.path += nasty })
		add(func(s *texts) { s.healthPath += nasty })
		add(func(s *texts) { s.oldHost = nasty + s.oldHost })
		add(func(s *texts) { s.newName = nasty + s.newName })
		add(func(s *texts) { s.user += nasty })
		add(func(s *texts) { s.certificate += nasty })
		add(func(s *texts) { s.cookie += nasty })
	}
	add(func(s *texts) { s.path, s.healthPath = "/._~!$&()*+,;=:@%-", "/._~!$&()*+,;=:@%/?-" })
	add(func(s *texts) {
		s.address, s.oldAddress, s.network, s.nameserver = "::1", "2001:db8::1", "2001:db8::/32", "[::1]:53"
	})
	add(func(s *texts) { s.host, s.oldHost, s.newHost = "*.example.com", "10.0.0.1:8080", "x_y.example.com:443" })
	f.Add(harmless.address, harmless.network, harmless.nameserver, harmless.certificate, harmless.socket, harmless.cookie, harmless.user, harmless.route, harmless.host,
		harmless.path, harmless.oldAddress, harmless.oldHost, harmless.newName, harmless.newHost, harmless.healthPath, 0, 10, false)
	add(func(s *texts) { s.route, s.user, s.cookie, s.newName = "unless", "-", "-", "a" })
	f.Fuzz(func(t *testing.T, address, network, nameserver, certificate, socket, cookie, user, route, host, path,
		oldAddress, oldHost, newName, newHost, healthPath string, from, to int, keep bool,
	) {
		s := texts{address, network, nameserver, certificate, socket, cookie, user, route, host, path, oldAddress, oldHost, newName, newHost, healthPath}
		text, err := s.config(from, to, keep).Render()
		if err != nil {
			return
		}
		like := harmless
		if cookie == "" {
			like.cookie = ""
		}
		for _, same := range []struct {
			to   *string
			from string
			is   bool
		}{{&like.address, address, address == "::"}, {&like.path, path, path == "/"}, {&like.oldHost, oldHost, oldHost == ""}} {
			if same.is {
				*same.to = same.from
			}
		}
		want, err := like.config(from, to, keep).Render()
		if err != nil {
			t.Fatal(err)
		}
		got := lines(text)
		if g, w := shape(got), shape(lines(want)); !slices.Equal(g, w) {
			t.Fatalf("from %+v come other lines:\n%s", s, text)
		}
		for _, value := range []string{network, nameserver, socket, user, healthPath, oldHost, newHost, "str(" + route + ")"} {
			if !slices.ContainsFunc(got, func(line []string) bool { return value == "" || slices.Contains(line, value) }) {
				t.Errorf("%q is no word of\n%s", value, text)
			}
		}
		// Names and files that there are not are no matter of the renderer.
		judged := strings.NewReplacer(" crt "+certificate+" ", " crt "+pem+" ", " ca-file "+certificate+" ", " ca-file "+pem+" ", "init-addr last,libc,none", "init-addr none").Replace(text)
		if out, err := checkFile(t, judged); err != nil || out != "Configuration file is valid\n" {
			t.Errorf("%v\n%s\n%s", err, out, text)
		}
	})
}

// shape is the keyword and the number of words of each line.
func shape(in [][]string) []string {
	var out []string
	for _, w := range in {
		out = append(out, w[0]+strings.Repeat(" .", len(w)-1))
	}
	return out
}
