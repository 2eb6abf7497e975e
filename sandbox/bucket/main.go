// Command bucket is an S3 on loopback with one bucket, versioned as a state's should be, for tests of a backend in a bucket. It prints its
// address, and ends when its standard input does. What it holds is gone then.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("bucket NAME: serves a bucket of that name on loopback until its standard input ends")
	}
	if err := serve(os.Args[1]); err != nil {
		log.Fatal("bucket: ", err)
	}
}

func serve(name string) error {
	backend := s3mem.New()
	if err := backend.CreateBucket(name); err != nil {
		return err
	}
	if err := backend.SetVersioningConfiguration(name, gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		listener.Close()
	}()
	fmt.Println("http://" + listener.Addr().String())
	server := &http.Server{Handler: gofakes3.New(backend).Server(), ReadHeaderTimeout: 10 * time.Second}
	if err := server.Serve(listener); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
