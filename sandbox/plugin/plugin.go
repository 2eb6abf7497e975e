// Package plugin serves Pulumi plugins as the engine starts them: a process that prints its port and listens.
package plugin

import (
	"fmt"
	"net"
	"os"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// maxMessage is what the engine itself allows for one message.
const maxMessage = 400 << 20

// orphanCheck is how often a plugin looks whether its engine still lives.
const orphanCheck = time.Second

// ServeProvider serves a resource provider until the engine ends the process, or is itself gone.
func ServeProvider(p pulumirpc.ResourceProviderServer) error {
	return serve(func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, p) })
}

// ServeLanguage serves a language host until the engine ends the process, or is itself gone.
func ServeLanguage(h pulumirpc.LanguageRuntimeServer) error {
	return serve(func(s *grpc.Server) { pulumirpc.RegisterLanguageRuntimeServer(s, h) })
}

func serve(register func(*grpc.Server)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	register(s)
	go stopWithout(os.Getppid(), s)
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	return s.Serve(l)
}

// stopWithout ends the server when the parent is gone: an engine that was killed ends no plugin, and one that lives on keeps the
// sandbox's lock, which it inherits. The death of a parent makes no event (PR_SET_PDEATHSIG tells of a thread's), so it is looked at.
func stopWithout(parent int, s *grpc.Server) {
	for os.Getppid() == parent {
		time.Sleep(orphanCheck)
	}
	s.GracefulStop()
}
