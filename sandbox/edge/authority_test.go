package edge

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func roots(t *testing.T, a *Authority) *x509.CertPool {
	t.Helper()
	b, err := os.ReadFile(a.File)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		t.Fatalf("%s holds no certificate", a.File)
	}
	return pool
}

func openedAuthority(t *testing.T, dir string) *Authority {
	t.Helper()
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthorityIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "edge")
	all := make([]*Authority, 8)
	var done sync.WaitGroup
	for i := range all {
		done.Go(func() {
			var err error
			if all[i], err = OpenAuthority(dir); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	pool := roots(t, all[0])
	for _, a := range all {
		leaf, err := a.Leaf([]string{"example.com", "*.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		for name, good := range map[string]bool{"example.com": true, "www.example.com": true, "a.b.example.com": false, "example.org": false} {
			if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); (err == nil) != good {
				t.Errorf("for %s: %v, of eight that were opened at once", name, err)
			}
		}
		if again, err := a.Leaf([]string{"example.com", "*.example.com"}); err != nil || again != leaf {
			t.Errorf("the same names get another certificate (%v)", err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v %v", info.Mode(), err)
	}
	if b, _ := os.ReadFile(all[0].File); len(b) == 0 || string(b) != string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: all[0].cert.Raw})) {
		t.Error("what is handed out is more, or less, than the certificate")
	}
}

func TestAuthorityThatCannotBeUsedIsReplaced(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "ca-key.pem")
	was := openedAuthority(t, dir)
	whole, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	now := openedAuthority(t, dir)
	if now.cert.Equal(was.cert) {
		t.Error("a damaged authority is used")
	}
	leaf, err := now.Leaf([]string{"a.example"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots(t, now), DNSName: "a.example"}); err != nil {
		t.Error(err)
	}
	if err := os.Remove(now.File); err != nil {
		t.Fatal(err)
	}
	if again := openedAuthority(t, dir); !again.cert.Equal(now.cert) {
		t.Error("a lost ca.pem makes another authority, whose certificates nobody trusts")
	} else if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots(t, again)}); err != nil {
		t.Errorf("ca.pem does not come back: %v", err)
	}
	if err := (&Authority{}).make(key, leafLife-time.Hour); err != nil {
		t.Fatal(err)
	}
	if again := openedAuthority(t, dir); time.Until(again.cert.NotAfter) < leafLife {
		t.Errorf("an authority is used that ends on %s, before the certificates that it is to sign", again.cert.NotAfter)
	}
}
