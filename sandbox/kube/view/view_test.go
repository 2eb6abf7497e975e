package view

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func sample() *View {
	return &View{Version: FormatVersion, Clusters: []Cluster{{
		ID: "c1", Name: "prod", Region: "us-west-2",
		AccessEntries: []AccessEntry{{PrincipalArn: "arn:aws:iam::1:role/A", Groups: []string{"g"}, Policies: []AccessPolicy{{Arn: "p", ScopeType: ScopeNamespace, Namespaces: []string{"n"}}}}},
		NodeGroups: []NodeGroup{{
			ID: "g1", Name: "general", InstanceTypes: []string{"m5.large"}, Desired: 2,
			Subnets: []Subnet{{ID: "s", Zone: "us-west-2a", Cidr: "10.0.0.0/20"}}, Taints: []Taint{{Key: "k", Effect: "NO_SCHEDULE"}},
		}},
	}}}
}

func TestWriteAndRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "account", FileName)
	if _, _, err := Read(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	digest, err := Write(file, sample())
	if err != nil {
		t.Fatal(err)
	}
	got, again, err := Read(file)
	if err != nil || again != digest || !reflect.DeepEqual(got, sample()) {
		t.Errorf("%+v, digest %s, want %s, %v", got, again, digest, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestBadViewIsRefusedAsAWhole(t *testing.T) {
	v := sample()
	v.Clusters[0].ID = ""
	g := &v.Clusters[0].NodeGroups[0]
	g.Desired, g.InstanceTypes, g.Subnets = -1, nil, []Subnet{{ID: "s", Cidr: "10.0.0.0"}}
	_, err := Write(filepath.Join(t.TempDir(), FileName), v)
	want := `view of the account: clusters[0] has id "", name "prod", region "us-west-2": none may be empty
clusters[0].nodeGroups[0].desired is -1, must be at least 0
clusters[0].nodeGroups[0].instanceTypes is empty
clusters[0].nodeGroups[0].subnets[0] has zone "" and cidr "10.0.0.0", must be a zone and a range such as 10.0.48.0/20`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestWatcherKeepsTheLastReadableView(t *testing.T) {
	file := filepath.Join(t.TempDir(), FileName)
	w := NewWatcher(file)
	if v, _, err := w.Current(); v != nil || !Absent(err) {
		t.Errorf("before the first: %v, %v", v, err)
	}
	changed := func() {
		t.Helper()
		select {
		case <-w.Changed():
		case <-time.After(time.Minute):
			t.Fatal("no change was told")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	if _, err := Write(file, sample()); err != nil {
		t.Fatal(err)
	}
	changed()
	v, _, err := w.Current()
	if err != nil || v.Cluster("prod") == nil || v.Cluster("other") != nil || v.ClusterByID("c1") == nil {
		t.Errorf("%+v, %v", v, err)
	}

	// A coarse clock gives two writes one time, and the sizes may be equal, too.
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	other := sample()
	other.Clusters[0].Name = "test"
	cancel()
	running.Wait() // from here on by hand, so that nothing is read between writing and setting the time
	if _, err := Write(file, other); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	w.Refresh()
	changed()
	v, digest, _ := w.Current()
	if v.Cluster("test") == nil {
		t.Error("a file of the same size and time was not seen")
	}
	if err := os.WriteFile(file, []byte(`{"version":1,"clus`), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Refresh()
	changed()
	kept, same, err := w.Current()
	if kept != v || same != digest || err == nil || !strings.Contains(err.Error(), "is not readable") {
		t.Errorf("a cut file: %+v, %v, want the view before and an error", kept, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w.Refresh()
	changed()
	if kept, _, err := w.Current(); kept != v || !Absent(err) {
		t.Errorf("a removed file: %+v, %v, want the view before", kept, err)
	}
}

func TestAwait(t *testing.T) {
	dir := t.TempDir()
	if err := WriteStatus(dir, &Status{View: "d1", Cluster: "c1", NodeGroups: []NodeGroupStatus{{ID: "g1", Ready: 1}}}); err != nil {
		t.Fatal(err)
	}
	s, err := Await(t.Context(), dir, func(s *Status) bool { g, ok := s.Group("g1"); return ok && g.Ready == 1 })
	if err != nil || s.Cluster != "c1" {
		t.Errorf("%+v, %v", s, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Await(ctx, dir, func(*Status) bool { return false }); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `"ready":1`) {
		t.Errorf("given up: %v, want the last status in it", err)
	}
}
