"""The other end of a connection under test: writes any octets, and takes apart what comes back."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from hpack import Decoder, Encoder

from mattermost_plugin._grpc.errors import ErrorCode
from mattermost_plugin._grpc.frames import PREFACE, FrameType

if TYPE_CHECKING:
    from mattermost_plugin._grpc.streams import Stream

REQUEST = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/test.Service/Call"),
    (":authority", "localhost"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
]
RESPONSE = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]

END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20


class Frame(NamedTuple):
    """A frame as it came."""

    kind: FrameType
    flags: int
    stream_id: int
    payload: bytes

    @property
    def code(self) -> ErrorCode:
        """The error code of RST_STREAM or GOAWAY."""
        at = 4 if self.kind is FrameType.GOAWAY else 0
        return ErrorCode(int.from_bytes(self.payload[at : at + 4], "big"))


def frame(kind: int, flags: int = 0, stream_id: int = 0, payload: bytes = b"") -> bytes:
    """Return any frame, valid or not."""
    return struct.pack(">HBBBL", len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream_id) + payload


def settings(**values: int) -> bytes:
    """Return SETTINGS; keys are s1, s2 and so on."""
    payload = b"".join(struct.pack(">HL", int(key[1:]), value) for key, value in values.items())
    return frame(FrameType.SETTINGS, 0, 0, payload)


def message(payload: bytes, flag: int = 0) -> bytes:
    """Return a length-prefixed message."""
    return struct.pack(">BL", flag, len(payload)) + payload


def data(stream_id: int, payload: bytes, flags: int = END_STREAM) -> bytes:
    """Return DATA."""
    return frame(FrameType.DATA, flags, stream_id, payload)


def window_update(stream_id: int, increment: int) -> bytes:
    """Return WINDOW_UPDATE."""
    return frame(FrameType.WINDOW_UPDATE, 0, stream_id, struct.pack(">L", increment))


def rst_stream(stream_id: int, code: ErrorCode = ErrorCode.CANCEL) -> bytes:
    """Return RST_STREAM."""
    return frame(FrameType.RST_STREAM, 0, stream_id, struct.pack(">L", code))


class Wire:
    """Talks to a core."""

    def __init__(self, core: Any, *, handshake: bool = True, client: bool = True) -> None:
        self.core = core
        self._encoder = Encoder()
        self._decoder = Decoder()
        self._received = b""
        self.news: list[Stream] = []
        if handshake:
            self.send((PREFACE if client else b"") + settings() + frame(FrameType.SETTINGS, ACK))
            self.frames()

    def block(self, fields: Any) -> bytes:
        """Return a header block that makes no use of a dynamic table."""
        return self._encoder.encode([(name, value, True) for name, value in fields])

    def headers(self, stream_id: int, fields: Any = REQUEST, flags: int = END_HEADERS) -> bytes:
        """Return HEADERS."""
        return frame(FrameType.HEADERS, flags, stream_id, self.block(fields))

    def send(self, *parts: bytes) -> list[Stream]:
        """Let the core receive octets; return the streams with news."""
        self.news = self.core.receive(b"".join(parts))
        return self.news

    def octets(self) -> bytes:
        """Return everything the core has to send."""
        parts = []
        while part := self.core.data_to_send():
            parts.append(part)
        return b"".join(parts)

    def frames(self) -> list[Frame]:
        """Return the frames that the core has to send."""
        self._received += self.octets()
        self._received = self._received.removeprefix(PREFACE)
        found = []
        while len(self._received) >= 9:
            high, low, kind, flags, stream_id = struct.unpack_from(">HBBBL", self._received)
            end = 9 + (high << 8 | low)
            assert end <= len(self._received), "an incomplete frame was sent"
            found.append(Frame(FrameType(kind), flags, stream_id, self._received[9:end]))
            self._received = self._received[end:]
        assert not self._received
        return found

    def fields(self, frame: Frame) -> dict[str, str]:
        """Return the fields of a HEADERS frame."""
        assert frame.kind is FrameType.HEADERS
        return dict(self._decoder.decode(frame.payload))
