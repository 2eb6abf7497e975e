// Package plugin serves Pulumi plugins as the engine starts them: a process that prints its port and listens.
package plugin

import (
	"fmt"
	"net"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// maxMessage is what the engine itself allows for one message.
const maxMessage = 400 << 20

// ServeProvider serves a resource provider until the engine ends the process.
func ServeProvider(p pulumirpc.ResourceProviderServer) error {
	return serve(func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, p) })
}

// ServeLanguage serves a language host until the engine ends the process.
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
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	return s.Serve(l)
}
