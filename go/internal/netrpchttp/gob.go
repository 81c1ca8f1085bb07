package netrpchttp

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/rpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/gobwire"
)

// As much of the format of encoding/gob as the calls need. A stream is a sequence of messages, each with its length
// before it: the definition of a type, under a number that is the sender's choice, or a value, after the number of its
// type.

// largestReply is the size from which a message is taken for a mistake. Headers are the largest there are.
const largestReply = 64 << 20

var errGob = errors.New("a message that is not as gob has it")

// appendHeader appends the content of a map[string][]string.
func appendHeader(b []byte, header http.Header) []byte {
	b = gobwire.AppendUint(b, uint64(len(header)))
	for name, values := range header {
		b = gobwire.AppendText(b, name)
		b = gobwire.AppendUint(b, uint64(len(values)))
		for _, value := range values {
			b = gobwire.AppendText(b, value)
		}
	}
	return b
}

// content is a message that is being read.
type content struct {
	rest []byte
	err  error
}

func (c *content) uint() uint64 {
	value, size := gobwire.CutUint(c.rest)
	if size == 0 {
		c.err, c.rest = errGob, nil
	}
	c.rest = c.rest[size:]
	return value
}

func (c *content) int() int64 { return gobwire.ToInt(c.uint()) }

func (c *content) text() string {
	size := c.uint()
	if size > uint64(len(c.rest)) {
		c.err, c.rest = errGob, nil
		return ""
	}
	text := string(c.rest[:size])
	c.rest = c.rest[size:]
	return text
}

// header reads a map[string][]string.
func (c *content) header() (http.Header, error) {
	if c.uint() != 0 { // comes before a value that is no struct
		return nil, errGob
	}
	count := c.uint()
	header := make(http.Header)
	for ; count > 0 && c.err == nil; count-- {
		name := c.text()
		var values []string
		for number := c.uint(); number > 0 && c.err == nil; number-- {
			values = append(values, c.text())
		}
		header[name] = values
	}
	return header, c.err
}

// failure reads an rpc.Response and returns the error in it. Fields that are zero are left out; a number before each
// says how many fields it is further.
func (c *content) failure() error {
	text, field := "", uint64(0)
	for c.err == nil {
		step := c.uint()
		if step == 0 {
			break
		}
		switch field += step; field {
		case 1:
			c.text() // the method
		case 2:
			c.uint() // the number of the call
		case 3:
			text = c.text()
		default:
			c.err = errGob
		}
	}
	switch {
	case c.err != nil:
		return c.err
	case text != "":
		return rpc.ServerError(text)
	}
	return nil
}

// readValue reads the next value into buffer, or into a larger one, and passes over the definitions before it.
func readValue(reader *bufio.Reader, buffer []byte) (content, []byte, error) {
	for {
		size, err := readUint(reader)
		if err != nil {
			return content{}, buffer, err
		}
		if size > largestReply {
			return content{}, buffer, fmt.Errorf("%w: %d bytes", errGob, size)
		}
		if uint64(cap(buffer)) < size {
			buffer = make([]byte, size)
		}
		message := content{rest: buffer[:size]}
		if _, err := io.ReadFull(reader, message.rest); err != nil {
			return content{}, buffer, err
		}
		if number := message.int(); number > 0 || message.err != nil {
			return message, buffer, message.err
		}
	}
}

func readUint(reader *bufio.Reader) (uint64, error) {
	value, size, err := gobwire.PeekUint(reader)
	if err == nil && size == 0 {
		err = errGob
	}
	_, _ = reader.Discard(size) // they are there
	return value, err
}

// definition is how encoding/gob defines a type that calls send.
type definition struct {
	messages []byte // empty for a type that needs none
	number   int64
}

// Types that calls send. One encoder has made them, so their numbers differ.
var requestType, emptyType, headerType = func() (request, empty, header definition) {
	var out bytes.Buffer
	encoder := gob.NewEncoder(&out)
	for _, each := range []struct {
		to    *definition
		value any
	}{{&request, rpc.Request{ServiceMethod: "x"}}, {&empty, struct{}{}}, {&header, http.Header{}}} {
		out.Reset()
		if err := encoder.Encode(each.value); err != nil {
			panic(err) // these can be encoded
		}
		whole := bytes.Clone(out.Bytes())
		reader := bufio.NewReader(&out)
		for {
			before := len(whole) - out.Len() - reader.Buffered()
			size, err := readUint(reader)
			if err != nil {
				panic(err)
			}
			message := make([]byte, size)
			if _, err := io.ReadFull(reader, message); err != nil {
				panic(err)
			}
			if number := (&content{rest: message}).int(); number > 0 {
				each.to.messages, each.to.number = whole[:before], number
				break
			}
		}
	}
	return request, empty, header
}()
