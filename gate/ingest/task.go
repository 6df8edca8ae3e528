package ingest

import "defectdojo/gate"

// task is what goes on beside its caller.
type task struct {
	done chan struct{}
	err  error
}

// begin begins do.
func begin(do func() error) *task {
	t := &task{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer func() {
			if v := recover(); v != nil {
				t.err = gate.Errorf(gate.Internal, "%v", v)
			}
		}()
		t.err = do()
	}()
	return t
}

// wait waits until the task has ended, and returns how. There may be none.
func (t *task) wait() error {
	if t == nil {
		return nil
	}
	<-t.done
	return t.err
}
