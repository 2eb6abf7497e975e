package serve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
)

// lockEnv carries the descriptor of the lock over a restart, so that nobody can step in between.
const lockEnv = "SLIPWAY_KUBE_LOCK_FD"

var lockFd = -1

// lock makes this process the only one that serves dir.
func lock(dir string) (unlock func(), err error) {
	if n, err := strconv.Atoi(os.Getenv(lockEnv)); err == nil {
		os.Unsetenv(lockEnv)
		lockFd = n
		unix.CloseOnExec(n)
		return func() { unix.Close(n) }, nil
	}
	fd, err := endpoint.Hold(dir)
	if errors.Is(err, endpoint.ErrServed) {
		return nil, fmt.Errorf("a control plane runs in %s already: `sandbox status` shows it, `sandbox stop` ends it", dir)
	}
	if err != nil {
		return nil, err
	}
	lockFd = fd
	return func() { unix.Close(fd) }, nil
}

// divertStderr sends everything that the components, or a crash of the Go runtime, print to the log, and returns the standard
// error as it was. The log of the run before is kept.
func divertStderr(dir string) (*os.File, error) {
	path := endpoint.LogFile(dir)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Rename(path, path+".previous"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	kept, err := unix.FcntlInt(2, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	if err := dup2(int(f.Fd()), 2); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(kept), "stderr"), nil
}

// onExit takes over where a component would end the process without a word to people.
func onExit(abort func(error)) {
	klog.OsExit = func(code int) { abort(fmt.Errorf("a component gave up (exit code %d)", code)) }
}

// restart replaces this process by a fresh one: the components keep state that cannot be reset. Pid, lock and output stay.
func (s *server) restart() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, "The cluster was deleted from the account: Kubernetes starts anew, empty")
	if err := dup2(int(s.stderr.Fd()), 2); err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(lockFd), unix.F_SETFD, 0); err != nil {
		return err
	}
	return unix.Exec(self, os.Args, append(os.Environ(), lockEnv+"="+strconv.Itoa(lockFd)))
}

// abort ends the process from within a component, once people have been told.
func (s *server) abort(err error) {
	fmt.Fprintln(s.stderr, s.report(err))
	os.Exit(1)
}

// etcdLogger passes errors of etcd to the log, and what is fatal to abort.
func etcdLogger(abort func(error)) *zap.Logger {
	format := zap.NewProductionEncoderConfig()
	format.EncodeTime = zapcore.ISO8601TimeEncoder
	core := zapcore.NewCore(zapcore.NewConsoleEncoder(format), zapcore.AddSync(os.Stderr), zap.ErrorLevel)
	return zap.New(core, zap.WithFatalHook(fatalHook{abort}))
}

type fatalHook struct{ abort func(error) }

// OnWrite implements zapcore.CheckWriteHook.
func (h fatalHook) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	err := errors.New(e.Message)
	for _, f := range fields {
		if cause, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			err = fmt.Errorf("%s: %w", e.Message, cause)
		}
	}
	h.abort(fmt.Errorf("etcd: %w", err))
}

// probe asks the API server as the sandbox's administrator.
type probe struct {
	server string
	client *http.Client
}

func newProbe(info endpoint.Info) (*probe, error) {
	cert, err := tls.LoadX509KeyPair(info.PKI("admin.pem"), info.PKI("admin.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(info.CAPEM))
	return &probe{info.Server, &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
	}}}, nil
}

// get is nil if path answers 200.
func (p *probe) get(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server+path, nil)
	if err != nil {
		return err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 2048))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return nil
}
