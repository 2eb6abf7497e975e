package endpoint

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func prepared(t *testing.T) (string, Info) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "kube")
	info, err := Prepare(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, info
}

func TestPrepareIsStable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kube")
	infos := make([]Info, 6)
	var all sync.WaitGroup
	for i := range infos {
		all.Go(func() {
			var err error
			if infos[i], err = Prepare(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, i := range infos {
		if i != infos[0] {
			t.Fatalf("two callers at once got\n%+v\n%+v", i, infos[0])
		}
	}
	if i := infos[0]; i.Port < firstPort || i.Port > lastPort || i.Server != "https://127.0.0.1:"+strconv.Itoa(i.Port) {
		t.Errorf("server is %s", i.Server)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others may read it", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// kubeconfigPair is the client certificate that a kubeconfig carries, and the authority it trusts.
func kubeconfigPair(t *testing.T, file string) (server string, ca []byte, pair tls.Certificate) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var k kubeconfig
	if err := json.Unmarshal(b, &k); err != nil {
		t.Fatal(err)
	}
	pair, err = tls.X509KeyPair(k.Users[0].User.CertData, k.Users[0].User.KeyData)
	if err != nil {
		t.Fatal(err)
	}
	return k.Clusters[0].Cluster.Server, k.Clusters[0].Cluster.CAData, pair
}

func TestKubeconfigAndServerTrustEachOther(t *testing.T) {
	_, info := prepared(t)
	server, ca, client := kubeconfigPair(t, info.AdminKubeconfig)
	if server != info.Server || string(ca) != info.CAPEM {
		t.Errorf("kubeconfig names %s, want %s with the same authority", server, info.Server)
	}
	if strings.Contains(info.CAPEM, "PRIVATE KEY") {
		t.Error("the authority's key is handed out")
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	if _, err := client.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	own, err := tls.LoadX509KeyPair(info.PKI("apiserver.pem"), info.PKI("apiserver.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "localhost", "kubernetes.default.svc", "172.20.0.1"} {
		if _, err := own.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("server as %s: %v", name, err)
		}
	}
}

func TestLostAndCutFilesAreMended(t *testing.T) {
	dir, info := prepared(t)
	for _, file := range []string{"apiserver.pem", "admin.pem", "service-account.key", "front-proxy.pem", caCertFile} {
		path := info.PKI(file)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, damage := range map[string]func() error{
			"cut":  func() error { return os.WriteFile(path, b[:len(b)/2], 0o600) },
			"lost": func() error { return os.Remove(path) },
		} {
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			again, err := Prepare(dir)
			if err != nil || again != info {
				t.Errorf("%s %s: %+v, %v", file, name, again, err)
			}
			mended, err := os.ReadFile(path)
			if block, _ := pem.Decode(mended); err != nil || block == nil {
				t.Errorf("%s %s was not mended: %v", file, name, err)
			}
		}
	}
	kubeconfigPair(t, info.AdminKubeconfig)
}

func TestCertificateOfAnotherAuthorityIsReplaced(t *testing.T) {
	dir, info := prepared(t)
	_, other := prepared(t)
	strange, err := os.ReadFile(other.PKI("admin.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(info.PKI("admin.pem"), strange, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(dir); err != nil {
		t.Fatal(err)
	}
	_, ca, client := kubeconfigPair(t, info.AdminKubeconfig)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	if _, err := client.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeMendedIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"authority lost": {func(d string) error { return os.Remove(filepath.Join(d, "pki", caFile)) }, "a new authority would make every kubeconfig invalid"},
		"authority cut": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "pki", caFile), []byte("-----BEGIN"), 0o600)
		}, "ca.pem is damaged"},
		"port lost": {func(d string) error { return os.Remove(filepath.Join(d, "port")) }, "port is missing: the kubeconfigs in use hold the port"},
		"port cut":  {func(d string) error { return os.WriteFile(filepath.Join(d, "port"), nil, 0o600) }, `port holds "", must be a port number`},
	} {
		dir, _ := prepared(t)
		if err := c.damage(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := Prepare(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "`sandbox reset`") {
			t.Errorf("%s: %v\nwant %q and the way out", name, err, c.want)
		}
	}
}

func TestCertificatesAreRenewedBeforeTheyEnd(t *testing.T) {
	_, info := prepared(t)
	read := func(file string) string {
		b, err := os.ReadFile(info.PKI(file))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	leafBefore, caBefore := read("admin.pem"), read(caFile)
	at := func(now time.Time) error {
		p := pki{dir: info.PKI(""), now: now}
		_, err := p.prepare()
		return err
	}
	if err := at(time.Now().AddDate(0, 9, 0)); err != nil || read("admin.pem") != leafBefore {
		t.Errorf("renewed after nine months of twelve (%v)", err)
	}
	if err := at(time.Now().AddDate(0, 11, 0)); err != nil || read("admin.pem") == leafBefore {
		t.Errorf("not renewed a month before the end (%v)", err)
	}
	if read(caFile) != caBefore {
		t.Error("the authority was renewed")
	}
	if err := at(time.Now().AddDate(11, 0, 0)); err == nil || !strings.Contains(err.Error(), "certificate authority is valid from") {
		t.Errorf("authority after its end: %v", err)
	}
}

func TestRunning(t *testing.T) {
	dir, info := prepared(t)
	want := Ready{Pid: os.Getpid(), Server: info.Server, CAData: info.CAPEM, Started: time.Now().UTC().Round(0)}
	if err := WriteReady(dir, want); err != nil {
		t.Fatal(err)
	}
	if _, ok := Running(dir); ok {
		t.Error("a file that a killed process left counts as running")
	}
	f, err := os.OpenFile(LockFile(dir), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if got, ok := Running(dir); !ok || got != want {
		t.Errorf("%+v, %t, want %+v", got, ok, want)
	}
	if err := ClearRun(dir); err != nil {
		t.Error(err)
	}
	if _, ok := Running(dir); ok || !Starting(dir) {
		t.Error("a process that holds the lock without being ready is starting, not running")
	}
}
