// Command server plays the three services of the production stack. Which one it is, its variables tell: with addresses of the
// backends it is the frontend, with a database a backend.
//
//	/            who it is, and its version
//	/load        burns CPU for a while, so that autoscaling can be seen
//	/slow?ms=N   answers after N milliseconds
//	/thoughts    of the frontend: asks both backends
//	/visits      of a backend: writes a row into the database and counts them
//
// Called as curl it asks for one page, for probes that are written so.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

func main() {
	log.SetFlags(0)
	if filepath.Base(os.Args[0]) == "curl" {
		curl(os.Args[len(os.Args)-1])
		return
	}
	if why := os.Getenv("DEMO_CRASH"); why != "" {
		log.Fatalf("demo: cannot start: %s", why)
	}
	if err := serve(); err != nil {
		log.Fatal("demo: ", err)
	}
}

func curl(page string) {
	resp, err := http.Get(page) //nolint:noctx // a probe's own timeout ends it
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(os.Stdout, resp.Body)
}

func serve() error {
	app := &app{version: os.Getenv("DEMO_VERSION"), started: time.Now()}
	mux := http.NewServeMux()
	mux.HandleFunc("/", app.root)
	mux.HandleFunc("/load", load)
	mux.HandleFunc("/slow", slow)
	if app.backends = backends(); len(app.backends) > 0 {
		mux.HandleFunc("/thoughts", app.thoughts)
	}
	if host := os.Getenv("POSTGRES_HOST"); host != "" {
		db, err := openDatabase(host)
		if err != nil {
			return err
		}
		app.db = db
		mux.HandleFunc("/visits", app.visits)
	}
	wait, err := seconds("DEMO_START_SECONDS")
	if err != nil {
		return err
	}
	time.Sleep(wait) // as a service in an interpreted language takes its time until it listens
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	server := &http.Server{Addr: ":8000", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	log.Printf("demo: version %s serves on %s", app.version, server.Addr)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// What has begun is finished; the kubelet kills what takes longer than its patience.
	log.Print("demo: told to end")
	return server.Shutdown(context.Background())
}

type app struct {
	version  string
	started  time.Time
	backends []string
	db       *sql.DB
}

func (a *app) root(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if os.Getenv("DEMO_UNREADY") != "" {
		http.Error(w, "demo: not ready: "+os.Getenv("DEMO_UNREADY"), http.StatusServiceUnavailable)
		return
	}
	host, _ := os.Hostname()
	fmt.Fprintf(w, "%s version %s up %s\n", host, a.version, time.Since(a.started).Round(time.Second))
}

// load keeps one processor busy for as long as a page of a busy site would.
func load(w http.ResponseWriter, _ *http.Request) {
	n := 0
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); n++ {
	}
	fmt.Fprintf(w, "%d rounds\n", n)
}

func slow(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil || ms < 0 || ms > 60000 {
		http.Error(w, "ms must be 0 to 60000", http.StatusBadRequest)
		return
	}
	time.Sleep(time.Duration(ms) * time.Millisecond) // the page is slow because it was asked to be
	fmt.Fprintf(w, "after %d ms\n", ms)
}

func backends() (urls []string) {
	for _, name := range []string{"THOUGHTS_BACKEND_URL", "USER_BACKEND_URL"} {
		if u := os.Getenv(name); u != "" {
			urls = append(urls, strings.TrimSuffix(u, "/"))
		}
	}
	return urls
}

func (a *app) thoughts(w http.ResponseWriter, r *http.Request) {
	for _, u := range a.backends {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, u+"/visits", nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			http.Error(w, fmt.Sprintf("%s answers %s: %s %v", u, resp.Status, body, err), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "%s: %s", u, body)
	}
}

func openDatabase(host string) (*sql.DB, error) {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(os.Getenv("POSTGRES_USER"), os.Getenv("POSTGRES_PASSWORD")),
		Host: net.JoinHostPort(host, os.Getenv("POSTGRES_PORT")), Path: os.Getenv("POSTGRES_DB"), RawQuery: "sslmode=disable&connect_timeout=5",
	}
	db, err := sql.Open("postgres", u.String())
	if err != nil {
		return nil, errors.New("the address of the database cannot be read") // the error holds the password
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

func (a *app) visits(w http.ResponseWriter, r *http.Request) {
	var n int
	_, err := a.db.ExecContext(r.Context(), "INSERT INTO visits (at) VALUES (now())")
	if err == nil {
		err = a.db.QueryRowContext(r.Context(), "SELECT count(*) FROM visits").Scan(&n)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%d visits\n", n)
}

func seconds(variable string) (time.Duration, error) {
	s := os.Getenv(variable)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q, must be a number of seconds", variable, s)
	}
	return time.Duration(n * float64(time.Second)), nil
}
