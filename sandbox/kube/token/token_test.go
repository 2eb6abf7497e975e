package token

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const role = "arn:aws:sts::123456789012:assumed-role/Admin/ci"

func key(t *testing.T) Key {
	t.Helper()
	k, err := LoadKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTokenComesBack(t *testing.T) {
	k, now := key(t), time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	made := k.Make("prod", "us-west-2", role, now)
	for _, at := range []time.Duration{0, -maxSkew, Lifetime} {
		c, err := k.Parse(made, now.Add(at))
		if err != nil || c != (Claims{"prod", role}) {
			t.Errorf("after %s: %+v, %v", at, c, err)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(made, Prefix))
	if err != nil {
		t.Fatal(err)
	}
	const looks = "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
	if !strings.HasPrefix(string(raw), looks) || !strings.Contains(string(raw), "&X-Amz-Date=20260304T050607Z&X-Amz-Expires=60&") {
		t.Errorf("does not look like a presigned URL: %s", raw)
	}
}

func TestTokenRefused(t *testing.T) {
	k, now := key(t), time.Now()
	good := k.Make("prod", "us-west-2", role, now)
	edit := func(old, new string) string {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(good, Prefix))
		if err != nil || !strings.Contains(string(raw), old) {
			t.Fatalf("%s lacks %s: %v", raw, old, err)
		}
		return Prefix + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), old, new, 1)))
	}
	for name, c := range map[string]struct {
		token string
		at    time.Time
		want  error
	}{
		"expired":             {good, now.Add(Lifetime + 2*time.Second), ErrExpired},
		"from the future":     {good, now.Add(-maxSkew - 2*time.Second), ErrMalformed},
		"other key":           {key(t).Make("prod", "us-west-2", role, now), now, ErrSignature},
		"principal edited":    {edit("Admin", "Owner"), now, ErrSignature},
		"cluster edited":      {edit("prod", "test"), now, ErrSignature},
		"host edited":         {edit("sts.us-west-2", "sts.us-east-1"), now, ErrSignature},
		"no signature":        {edit("X-Amz-Signature", "X-Other"), now, ErrSignature},
		"other action":        {edit("GetCallerIdentity", "GetSessionToken"), now, ErrMalformed},
		"no cluster":          {k.Make("", "us-west-2", role, now), now, ErrMalformed},
		"not base64":          {Prefix + "!!", now, ErrMalformed},
		"a service account's": {"eyJhbGciOi", now, ErrMalformed},
	} {
		if _, err := k.Parse(c.token, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestPrincipal(t *testing.T) {
	const account = "arn:aws:iam::123456789012:"
	for _, c := range []struct {
		caller, entry string
		is            bool
		username      string
	}{
		{role, account + "role/Admin", true, role},
		{role, account + "role/team/Admin", true, role}, // STS does not tell the path
		{role, account + "role/Other", false, role},
		{role, account + "user/Admin", false, role},
		{role, "arn:aws:iam::999999999999:role/Admin", false, role},
		{account + "user/ann", account + "user/ann", true, account + "user/ann"},
		{account + "user/ops/ann", account + "user/ann", false, account + "user/ops/ann"},
		{account + "role/Admin", account + "role/Admin", true, "arn:aws:sts::123456789012:assumed-role/Admin/sandbox"},
		{account + "root", account + "root", true, account + "root"},
	} {
		p, err := ParsePrincipal(c.caller)
		if err != nil {
			t.Errorf("%s: %v", c.caller, err)
			continue
		}
		if got := p.Is(c.entry); got != c.is {
			t.Errorf("%s is %s: %t, want %t", c.caller, c.entry, got, c.is)
		}
		if got := p.Username(); got != c.username {
			t.Errorf("%s is called %s, want %s", c.caller, got, c.username)
		}
	}
	for _, bad := range []string{"", "ann", "arn:aws:iam::123456789012:group/x", "arn:aws:sts::123456789012:assumed-role/Admin", "arn:aws:iam::123456789012:role/"} {
		if p, err := ParsePrincipal(bad); err == nil {
			t.Errorf("%q was taken for %+v", bad, p)
		}
	}
}

func TestKeyIsSharedAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "account")
	now := time.Now()
	tokens := make([]string, 8)
	var all sync.WaitGroup
	for i := range tokens {
		all.Go(func() {
			k, err := LoadKey(dir)
			if err != nil {
				t.Error(err)
			}
			tokens[i] = k.Make("prod", "us-west-2", role, now)
		})
	}
	all.Wait()
	for _, s := range tokens {
		if s != tokens[0] {
			t.Fatal("callers at the same time got different keys")
		}
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v, want mode 0600", info, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files left: %v, %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(dir); err == nil || !strings.Contains(err.Error(), "is damaged: remove the file") {
		t.Errorf("damaged key: %v", err)
	}
}
