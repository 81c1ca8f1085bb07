package host

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// checksumsName lists the files of a bundle as the build wrote them, in the format of the program sha256sum, with
// paths relative to the bundle.
const checksumsName = "server/checksums.sha256"

// verifyChecksums compares every listed file of the bundle with its checksum. A bundle without the list is taken as
// it is; one with the list must have the entrypoint in it. Files that are not listed are left alone, because
// Python writes its bytecode cache beside the sources.
func verifyChecksums(bundle, entrypoint string) error {
	list, err := os.ReadFile(filepath.Join(bundle, filepath.FromSlash(checksumsName)))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &lineError{fmt.Sprintf("cannot read %s: %v", checksumsName, err), ErrChecksum}
	}

	listed := false
	scanner := bufio.NewScanner(bytes.NewReader(list))
	for number := 1; scanner.Scan(); number++ {
		line := scanner.Text()
		if strings.TrimSpace(line) == "" {
			continue
		}
		sum, name, err := parseChecksum(line)
		if err != nil {
			return &lineError{fmt.Sprintf("%s: line %d: %v", checksumsName, number, err), ErrChecksum}
		}
		if err := verifyFile(bundle, name, sum); err != nil {
			return err
		}
		listed = listed || name == entrypoint
	}
	if err := scanner.Err(); err != nil {
		return &lineError{fmt.Sprintf("cannot read %s: %v", checksumsName, err), ErrChecksum}
	}
	if !listed {
		return &lineError{fmt.Sprintf("%s is not in %s: build the bundle again", entrypoint, checksumsName), ErrChecksum}
	}
	return nil
}

// parseChecksum splits a line into checksum and path.
func parseChecksum(line string) ([]byte, string, error) {
	digits, rest, _ := strings.Cut(line, " ")
	sum, err := hex.DecodeString(digits)
	// The character after the space is sha256sum's mode: a space for text, an asterisk for binary.
	if err != nil || len(sum) != sha256.Size || len(rest) < 2 || (rest[0] != ' ' && rest[0] != '*') {
		return nil, "", errors.New("not a SHA-256 checksum, two spaces and a path")
	}
	name := rest[1:]
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, "", fmt.Errorf("%s is outside of the bundle", name)
	}
	return sum, name, nil
}

func verifyFile(bundle, name string, want []byte) error {
	file, err := os.Open(filepath.Join(bundle, filepath.FromSlash(name)))
	if err != nil {
		return &lineError{fmt.Sprintf("%s is listed in %s but cannot be read: %v", name, checksumsName, errors.Unwrap(err)), ErrChecksum}
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return &lineError{fmt.Sprintf("cannot read %s: %v", name, err), ErrChecksum}
	}
	if !bytes.Equal(hash.Sum(nil), want) {
		return &lineError{fmt.Sprintf("%s was changed after the bundle was built (checksum mismatch): install the bundle again", name), ErrChecksum}
	}
	return nil
}
