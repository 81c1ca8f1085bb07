package serverdb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

// untilExit is PostgreSQL's standard input: it ends with this process, whatever happens, and that ends PostgreSQL.
//
//lint:ignore U1000 that it is not collected is all it is for
var untilExit io.WriteCloser

// Postgres returns the address of an empty database in a PostgreSQL that ends with this process. It is the one of the
// end-to-end tests, which comes with the Python environment that `make setup` makes.
var Postgres = sync.OnceValues(func() (source string, err error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("it is not known where the sources are")
	}
	root := filepath.Join(filepath.Dir(file), "..", "..", "..", "..")
	python := filepath.Join(root, ".venv", "bin", "python3")
	if environment := os.Getenv("VIRTUAL_ENV"); environment != "" {
		python = filepath.Join(environment, "bin", "python3")
	}
	server := exec.Command(python, "-m", "tests.sql.serve_postgres")
	server.Dir = root
	complaints, err := os.CreateTemp("", "postgres")
	if err != nil {
		return "", err
	}
	defer os.Remove(complaints.Name())
	defer complaints.Close()
	server.Stderr = complaints
	output, err := server.StdoutPipe()
	if err != nil {
		return "", err
	}
	if untilExit, err = server.StdinPipe(); err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", fmt.Errorf("%w: is there no .venv in the project's root? Run make setup", err)
	}
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		_, _ = complaints.Seek(0, io.SeekStart)
		text, _ := io.ReadAll(complaints)
		return "", fmt.Errorf("PostgreSQL did not start: %w\n%s", server.Wait(), text)
	}
	return lines.Text(), nil
})
