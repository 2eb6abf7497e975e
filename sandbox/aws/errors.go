package aws

import (
	"errors"
	"fmt"
)

// Error is what an AWS API answers: its code, and its words.
type Error struct {
	Code, Message string
	// Status is the HTTP status; 400 where it is 0.
	Status int
}

// Errorf is an API error with that code.
func Errorf(code, format string, a ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, a...)}
}

func (e *Error) Error() string { return "api error " + e.Code + ": " + e.Message }

// wrap words an API error as the AWS provider does: what it was doing, the operation, the request and the answer.
func (t *Type) wrap(doing, op string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	status := e.Status
	if status == 0 {
		status = 400
	}
	return fmt.Errorf("%s %s: operation error %s: %s, https response error StatusCode: %d, RequestID: %s, %w",
		doing, t.Label, t.Service, op, status, Hex(8)+"-"+Hex(4)+"-"+Hex(4)+"-"+Hex(4)+"-"+Hex(12), e)
}
