package zerocopy

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/sockettest"
)

// send sends octets by chance, so many, in pieces of at most so many, and returns their checksum.
func send(t *testing.T, sender *Sender, random *rand.ChaCha8, size, most int) [sha256.Size]byte {
	t.Helper()
	sum := sha256.New()
	for size > 0 {
		room := sender.Room()
		from := Margin - int(random.Uint64()%16)
		to := min(from+1+int(random.Uint64()%uint64(most)), from+size, len(room))
		_, err := random.Read(room[from:to])
		require.NoError(t, err)
		sum.Write(room[from:to])
		require.NoError(t, sender.Send(from, to))
		size -= to - from
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// receiving reads to the end, as much at once as told and after a pause, and tells the checksum.
func receiving(from io.Reader, atOnce int, pause time.Duration) <-chan [sha256.Size]byte {
	sum := make(chan [sha256.Size]byte, 1)
	go func() {
		received := sha256.New()
		buffer := make([]byte, atOnce)
		for {
			n, err := from.Read(buffer)
			received.Write(buffer[:n])
			if err != nil {
				break
			}
			time.Sleep(pause)
		}
		sum <- [sha256.Size]byte(received.Sum(nil))
	}()
	return sum
}

func TestWhatIsSentIsReceivedHoweverSlowly(t *testing.T) {
	for _, test := range []struct {
		name    string
		most    int
		atOnce  int
		pause   time.Duration
		waiting int // octets that may wait in the socket
	}{
		{"a fast reader", 1 << 20, 256 << 10, 0, 1 << 20},
		{"a slow reader", 1 << 20, 96 << 10, time.Millisecond, 1 << 20},
		{"a slow reader and little room", 1 << 20, 32 << 10, time.Millisecond / 2, 16 << 10},
		{"small pieces", 40 << 10, 256 << 10, 0, 1 << 20},
		{"tiny pieces", 3000, 1000, 0, 1 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			near, far := sockettest.Pair(t)
			require.NoError(t, near.(*net.UnixConn).SetWriteBuffer(test.waiting))
			got := receiving(far, test.atOnce, test.pause)
			sender := NewSender(near)
			sent := send(t, sender, rand.NewChaCha8([32]byte{1}), 16<<20, test.most)
			require.NoError(t, near.Close())
			require.Equal(t, sent, <-got)
		})
	}
}

func TestPagesAreLentOnLinux(t *testing.T) {
	near, far := sockettest.Pair(t)
	got := receiving(far, 256<<10, 0)
	sender := NewSender(near)
	random := rand.NewChaCha8([32]byte{2})
	send(t, sender, random, first, first)
	require.Nil(t, sender.lender, "a little is copied")
	require.Eventually(t, func() bool {
		send(t, sender, random, 256<<10, 256<<10)
		return sender.lends
	}, time.Minute, time.Millisecond, "nothing is lent")
	require.NoError(t, near.Close())
	<-got
}

func TestPagesThatTheReaderHasYetToReceiveAreNotWrittenTo(t *testing.T) {
	near, far := sockettest.Pair(t)
	require.NoError(t, near.(*net.UnixConn).SetWriteBuffer(64<<20)) // as much as the system allows
	sender := NewSender(near)
	sender.sent = first // so that pages are lent from the start
	var sent bytes.Buffer
	for piece := byte(1); ; piece++ {
		room := sender.Room()
		if !sender.lends {
			break // all pages wait
		}
		size := 16 << 10
		for at := range size {
			room[Margin+at] = piece
		}
		sent.Write(room[Margin : Margin+size])
		require.NoError(t, sender.Send(Margin, Margin+size))
		require.Less(t, piece, byte(slots+1), "more is lent than there is")
	}
	_, err := far.Write([]byte("the reader is there"))
	require.NoError(t, err)
	got := make([]byte, sent.Len())
	_, err = io.ReadFull(far, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(sent.Bytes(), got))
	sender.Room()
	require.True(t, sender.lends, "the reader has everything")
}

func TestPagesGoToTheNextSenderOnlyOnceTheyAreReceived(t *testing.T) {
	near, far := sockettest.Pair(t)
	sender := NewSender(near)
	sender.sent = first
	room := sender.Room()
	require.True(t, sender.lends)
	copy(room[Margin:], bytes.Repeat([]byte("first "), 10_000))
	require.NoError(t, sender.Send(Margin, Margin+60_000))
	sender.Release()

	other, otherFar := sockettest.Pair(t)
	next := NewSender(other)
	next.sent = first
	for range slots {
		room = next.Room()
		require.True(t, next.lends)
		copy(room[Margin:], bytes.Repeat([]byte("second"), 10_000))
		require.NoError(t, next.Send(Margin, Margin+60_000))
	}
	for conn, want := range map[net.Conn]string{far: "first ", otherFar: "second"} {
		got := make([]byte, 60_000)
		_, err := io.ReadFull(conn, got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(bytes.Repeat([]byte(want), 10_000), got))
	}
}

func TestPagesThatNobodyReceivesAreGivenBackAtOnce(t *testing.T) {
	files := func() int {
		found := 0
		open, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		for _, file := range open {
			if name, err := os.Readlink("/proc/self/fd/" + file.Name()); err == nil && strings.HasPrefix(name, "/memfd:body") {
				found++
			}
		}
		return found
	}
	kept := files() // by senders before
	for _, closed := range []bool{false, true} {
		for range 3 {
			near, _ := sockettest.Pair(t)
			sender := NewSender(near)
			sender.sent = first
			sender.Room()
			require.True(t, sender.lends)
			require.NoError(t, sender.Send(Margin, Margin+60_000))
			if closed {
				require.NoError(t, near.Close())
			}
			sender.Release()
		}
	}
	require.LessOrEqual(t, files(), kept)
}

func TestConnectionsThatAreNoSocketsAreCopiedTo(t *testing.T) {
	near, far := net.Pipe()
	got := receiving(far, 64<<10, 0)
	sender := NewSender(near)
	sent := send(t, sender, rand.NewChaCha8([32]byte{3}), 4<<20, 1<<20)
	require.Nil(t, sender.lender)
	sender.Release()
	require.NoError(t, near.Close())
	require.Equal(t, sent, <-got)
}

func TestSendingEndsWithTheConnection(t *testing.T) {
	for name, end := range map[string]func(near, far net.Conn) error{
		"closed here":  func(near, _ net.Conn) error { return near.Close() },
		"closed there": func(_, far net.Conn) error { return far.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			near, far := sockettest.Pair(t)
			sender := NewSender(near)
			sender.sent = first
			ended := make(chan error)
			go func() {
				for {
					sender.Room()
					if err := sender.Send(Margin, Margin+copied); err != nil {
						ended <- err
						return
					}
				}
			}()
			_, err := io.ReadFull(far, make([]byte, 1<<20))
			require.NoError(t, err)
			require.NoError(t, end(near, far))
			require.Error(t, <-ended)
			sender.Release()
		})
	}
}
