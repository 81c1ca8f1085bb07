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

	goplugin "github.com/hashicorp/go-plugin"
)

// checksumsName lists the files of a bundle as the build wrote them, in the format of the program sha256sum, with
// paths relative to the bundle.
const checksumsName = "server/checksums.sha256"

// verifyChecksums compares every listed file of the bundle with its checksum. A bundle without the list is taken as
// it is; one with the list must have the entrypoint in it. Files that are not listed are left alone, because
// Python writes its bytecode cache beside the sources.
func verifyChecksums(bundle, entrypoint string) error {
	listed, err := readChecksums(bundle)
	if err != nil || listed == nil {
		return err
	}
	found := false
	for _, file := range listed {
		if err := verifyFile(bundle, file.name, file.sum); err != nil {
			return err
		}
		found = found || file.name == entrypoint
	}
	if !found {
		return &lineError{fmt.Sprintf("%s is not in %s: build the bundle again", entrypoint, checksumsName), ErrChecksum}
	}
	return nil
}

// executableChecksum returns what the checksum of an executable must be: the listed one, or that which it has now. The
// latter is what a Mattermost server compares with; it proves that what is started, now or after a crash, is what was
// there when the plugin was activated.
func executableChecksum(bundle, name string) ([]byte, error) {
	listed, err := readChecksums(bundle)
	if err != nil {
		return nil, err
	}
	for _, file := range listed {
		if file.name == name {
			return file.sum, nil
		}
	}
	file, err := os.Open(filepath.Join(bundle, filepath.FromSlash(name)))
	if err != nil {
		return nil, &lineError{fmt.Sprintf("executable %s cannot be read: %v", name, errors.Unwrap(err)), ErrChecksum}
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, &lineError{fmt.Sprintf("executable %s cannot be read: %v", name, err), ErrChecksum}
	}
	return hash.Sum(nil), nil
}

// verifyExecutable compares an executable with its checksum, as go-plugin does for a server.
func verifyExecutable(program string, checksum []byte) error {
	secure := goplugin.SecureConfig{Checksum: checksum, Hash: sha256.New()}
	same, err := secure.Check(program)
	if err != nil {
		return &lineError{fmt.Sprintf("%s cannot be verified: %v", filepath.Base(program), err), ErrChecksum}
	}
	if !same {
		return &lineError{fmt.Sprintf("%s was changed after the bundle was built or the plugin was activated (checksum mismatch): install the bundle again", filepath.Base(program)), ErrChecksum}
	}
	return nil
}

// listedFile is a file of a bundle with its checksum.
type listedFile struct {
	name string
	sum  []byte
}

// readChecksums returns the files that the bundle lists, nil if it has no list.
func readChecksums(bundle string) ([]listedFile, error) {
	list, err := os.ReadFile(filepath.Join(bundle, filepath.FromSlash(checksumsName)))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &lineError{fmt.Sprintf("cannot read %s: %v", checksumsName, err), ErrChecksum}
	}
	files := []listedFile{}
	scanner := bufio.NewScanner(bytes.NewReader(list))
	for number := 1; scanner.Scan(); number++ {
		line := scanner.Text()
		if strings.TrimSpace(line) == "" {
			continue
		}
		sum, name, err := parseChecksum(line)
		if err != nil {
			return nil, &lineError{fmt.Sprintf("%s: line %d: %v", checksumsName, number, err), ErrChecksum}
		}
		files = append(files, listedFile{name, sum})
	}
	if err := scanner.Err(); err != nil {
		return nil, &lineError{fmt.Sprintf("cannot read %s: %v", checksumsName, err), ErrChecksum}
	}
	return files, nil
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
