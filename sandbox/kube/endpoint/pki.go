package endpoint

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/internal/atomicfile"
)

// Key and certificate lie in one file each, which is replaced as a whole: a crash between two files cannot part them.
const (
	caFile     = "ca.pem"
	caCertFile = "ca.crt" // the certificate alone, for those who must not see the key
	saFile     = "service-account.key"
)

// How long certificates are valid, and how long before its end one is renewed. The authority is never renewed by itself:
// kubeconfigs hold its certificate.
const (
	caYears     = 10
	leafYears   = 1
	renewBefore = 60 * 24 * time.Hour
)

// leaf is a certificate that the authority signs.
type leaf struct {
	file, name string
	orgs       []string
	dns        []string
	ips        []net.IP
}

const masters = "system:masters"

var serving = leaf{
	file: "apiserver.pem", name: "kube-apiserver",
	dns: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
	ips: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(172, 20, 0, 1)},
}

// users get a client certificate and a kubeconfig named after them.
var users = []leaf{
	{file: "admin.pem", name: "sandbox-admin", orgs: []string{masters}},
	// In system:masters because a service account for each controller costs five seconds at every start.
	{file: "controller-manager.pem", name: "system:kube-controller-manager", orgs: []string{masters}},
	{file: "scheduler.pem", name: "system:kube-scheduler"},
	{file: "nodes.pem", name: "sandbox-nodes", orgs: []string{masters}},
	{file: "balancing.pem", name: "aws-load-balancer-controller", orgs: []string{masters}},
}

// frontProxy is how the API server names itself to an aggregated API such as metrics-server's.
var frontProxy = leaf{file: "front-proxy.pem", name: "front-proxy-client"}

type pki struct {
	dir string
	now time.Time

	ca  *x509.Certificate
	key crypto.Signer
}

func (p *pki) path(file string) string { return filepath.Join(p.dir, file) }

// prepare makes or checks everything and returns the authority's certificate in PEM.
func (p *pki) prepare() (caPEM string, err error) {
	if err := p.authority(); err != nil {
		return "", err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.ca.Raw})
	if b, err := os.ReadFile(p.path(caCertFile)); err != nil || !bytes.Equal(b, cert) {
		if err := atomicfile.Write(p.path(caCertFile), cert, 0o600); err != nil {
			return "", err
		}
	}
	if err := p.serviceAccountKey(); err != nil {
		return "", err
	}
	for _, l := range append([]leaf{serving, frontProxy}, users...) {
		if p.usable(l) {
			continue
		}
		if err := p.issue(l); err != nil {
			return "", fmt.Errorf("certificate %s: %w", l.file, err)
		}
	}
	return string(cert), nil
}

// authority reads the certificate authority, or makes it if this is a new folder.
func (p *pki) authority() error {
	b, err := os.ReadFile(p.path(caFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(p.path(caCertFile)); err == nil {
			return fmt.Errorf("%s is missing while %s is there: put it back, or begin anew with `sandbox reset`; "+
				"a new authority would make every kubeconfig invalid", p.path(caFile), caCertFile)
		}
		return p.newAuthority()
	}
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(b, b)
	if err != nil {
		return fmt.Errorf("%s is damaged (%w): put it back, or begin anew with `sandbox reset`", p.path(caFile), err)
	}
	p.ca, p.key = pair.Leaf, pair.PrivateKey.(crypto.Signer)
	if p.now.After(p.ca.NotAfter) || p.now.Before(p.ca.NotBefore) {
		return fmt.Errorf("the certificate authority is valid from %s to %s and the clock says %s: set the clock, or begin anew with `sandbox reset`",
			p.ca.NotBefore.Format(time.DateOnly), p.ca.NotAfter.Format(time.DateOnly), p.now.Format(time.DateOnly))
	}
	return nil
}

func (p *pki) newAuthority() error {
	t := &x509.Certificate{
		Subject:  pkix.Name{CommonName: "slipway-sandbox"},
		NotAfter: p.now.AddDate(caYears, 0, 0),
		IsCA:     true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	cert, key, both, err := p.sign(t)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(p.path(caFile), both, 0o600); err != nil {
		return err
	}
	p.ca, p.key = cert, key
	return nil
}

// serviceAccountKey signs the tokens of service accounts; a new one would only end the tokens in use, which pods of a
// simulated node do not hold.
func (p *pki) serviceAccountKey() error {
	b, err := os.ReadFile(p.path(saFile))
	if err == nil {
		if block, _ := pem.Decode(b); block != nil {
			if _, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
				return nil
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	// The API server takes the public key from the same file, which it can only in this format.
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return atomicfile.Write(p.path(saFile), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

// usable tells whether the certificate on disk is whole, is of this authority, says what it should and stays valid.
func (p *pki) usable(l leaf) bool {
	b, err := os.ReadFile(p.path(l.file))
	if err != nil {
		return false
	}
	pair, err := tls.X509KeyPair(b, b)
	if err != nil {
		return false
	}
	c := pair.Leaf
	for _, ip := range l.ips {
		if c.VerifyHostname(ip.String()) != nil {
			return false
		}
	}
	return c.CheckSignatureFrom(p.ca) == nil && c.Subject.CommonName == l.name &&
		!p.now.Before(c.NotBefore) && p.now.Add(renewBefore).Before(c.NotAfter)
}

func (p *pki) issue(l leaf) error {
	_, _, both, err := p.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: l.name, Organization: l.orgs},
		NotAfter:    p.now.AddDate(leafYears, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		DNSNames:    l.dns, IPAddresses: l.ips,
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(p.path(l.file), both, 0o600)
}

// sign completes t with a key of its own, by the authority, or by itself while there is none. both is certificate and key.
func (p *pki) sign(t *x509.Certificate) (cert *x509.Certificate, key crypto.Signer, both []byte, err error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, nil, err
	}
	t.NotBefore = p.now.Add(-time.Hour)
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, nil, err
	}
	parent, by := p.ca, p.key
	if parent == nil {
		parent, by = t, key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), by)
	if err != nil {
		return nil, nil, nil, err
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		return nil, nil, nil, err
	}
	return cert, key, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), keyPEM...), nil
}

func newKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
