//go:build real

package test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// postgres is a real server outside the cluster, with the database "thoughts".
type postgres struct {
	bin, dir string
	as       *syscall.Credential
}

// startPostgres starts Debian's PostgreSQL on an address that the nodes reach.
func startPostgres(t *testing.T, address string) *postgres {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || found == nil {
		t.Fatalf("there is no PostgreSQL: apt-get install postgresql (%v)", err)
	}
	slices.Sort(found)
	owner, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	dir, err := os.MkdirTemp("", "slipway-postgres-") //nolint:usetesting // into the test's own only root may look
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	p := &postgres{bin: found[len(found)-1], dir: dir, as: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	p.must(t, "initdb", "-D", p.data(), "--auth=trust", "--username=owner", "--no-sync")
	hba, err := os.OpenFile(filepath.Join(p.data(), "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer hba.Close()
	if _, err := hba.WriteString("host all all 0.0.0.0/0 scram-sha-256\n"); err != nil {
		t.Fatal(err)
	}
	server := p.command(context.Background(), "postgres", "-D", p.data(), "-k", p.dir, "-c", "listen_addresses="+address, "-c", "fsync=off")
	log, err := os.Create(filepath.Join(t.TempDir(), "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT) // at once, without waiting for clients
		_ = server.Wait()
		log.Close()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		c, err := net.Dial("tcp", net.JoinHostPort(address, "5432"))
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(deadline) {
			words, _ := os.ReadFile(log.Name())
			t.Fatalf("PostgreSQL does not answer: %v\n%s", err, words)
		}
	}
	p.sql(t, "postgres", "CREATE DATABASE thoughts")
	p.sql(t, "thoughts", "CREATE TABLE visits (at timestamptz NOT NULL)")
	return p
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, &syscall.SysProcAttr{Credential: p.as}
	return cmd
}

func (p *postgres) must(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := p.command(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// sql runs a statement as the owner.
func (p *postgres) sql(t *testing.T, database, statement string) {
	t.Helper()
	p.must(t, "psql", "-h", p.dir, "-U", "owner", "-d", database, "-v", "ON_ERROR_STOP=1", "-q", "-c", statement)
}

// login makes a user of the database, or gives it another password.
func (p *postgres) login(t *testing.T, name, password string) {
	t.Helper()
	p.sql(t, "thoughts", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", name, password))
	p.sql(t, "thoughts", "GRANT SELECT, INSERT ON visits TO "+name)
}
