package gate

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of an Error: what the caller may do about it.
type Kind int

// The kinds. Internal is the zero value, and what every foreign error is.
const (
	Internal     Kind = iota // a fault of ours: logged, told as "internal error"
	Invalid                  // the input is wrong
	Unauthorized             // nobody is signed in
	Forbidden                // somebody is, who may not
	NotFound                 // there is no such thing, or none that they may see
	Conflict                 // it is there already, or changed meanwhile
	TooLarge                 // the input is over a limit
	Unavailable              // something that this needs does not answer: try again later
	Limited                  // asked too often: try again later
)

// Error is an error whose message may be shown to whoever asked.
type Error struct {
	Kind    Kind
	Field   string // the field of the request that is wrong, if it is one field
	Message string
	After   time.Duration // when to try again, if that is known
}

// Error returns the message.
func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// Errorf makes an Error of kind k.
func Errorf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Error of kind Invalid about one field of a request.
func FieldErrorf(field, format string, args ...any) error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of err: Internal unless an Error is in its chain.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
