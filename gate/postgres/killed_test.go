package postgres

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestMain is also a program that keeps a cluster: the one that TestKilled kills.
func TestMain(m *testing.M) {
	dir := os.Getenv("KEEP_CLUSTER")
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := keep(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	select {}
}

func keep(dir string) error {
	programs, err := Supply{Bin: os.Getenv("DD_POSTGRES_BIN"), Forbidden: true}.Programs(context.Background())
	if err != nil {
		return err
	}
	c, err := Start(context.Background(), Config{Dir: dir, Programs: programs, Throwaway: true})
	if err != nil {
		return err
	}
	fmt.Println(c.PID())
	return nil
}

// TestKilled kills the program that keeps a cluster, as kill -9 does, and starts
// at once.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "KEEP_CLUSTER="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("%q, %v", line, err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		c := start(t, dir)
		query(t, c, `select 1`)
		stop(t, c)
	}
}
