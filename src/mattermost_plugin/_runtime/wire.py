"""The few messages of go-plugin's own services, encoded by hand.

They are four messages with scalar fields. Written out they need no generated module, no descriptor pool that
another library's copy of the same messages could clash with, and nothing to load at start.

====================  =======================================================================
message               fields
====================  =======================================================================
`HealthCheckRequest`  1 service: string
`HealthCheckResponse` 1 status: enum (0 unknown, 1 serving, 2 not serving, 3 service unknown)
`ConnInfo`            1 service_id: uint32, 2 network: string, 3 address: string, 4 knock: message
`Empty`               none
====================  =======================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "EMPTY",
    "NOT_SERVING",
    "NO_MESSAGES",
    "SERVICE_UNKNOWN",
    "SERVING",
    "ConnInfo",
    "fields",
    "health_service",
    "put_varint",
]

EMPTY = b""

# What a stream without answers yields.
NO_MESSAGES: tuple[bytes, ...] = ()

# HealthCheckResponse with its one field set.
SERVING = b"\x08\x01"
NOT_SERVING = b"\x08\x02"
SERVICE_UNKNOWN = b"\x08\x03"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class ConnInfo(NamedTuple):
    """Where the host serves what it announced under an id."""

    service_id: int
    network: str
    address: str
    knock: bool

    @classmethod
    def decode(cls, data: bytes) -> ConnInfo:
        """Read the message.

        Raises:
            ValueError: It is not one.
        """
        service_id, network, address, knock = 0, "", "", False
        for number, value in fields(data):
            if number == 1 and isinstance(value, int):
                service_id = value & 0xFFFFFFFF
            elif number == 2 and isinstance(value, bytes):
                network = value.decode()
            elif number == 3 and isinstance(value, bytes):
                address = value.decode()
            elif number == 4:
                knock = True
        return cls(service_id, network, address, knock)

    def encode(self) -> bytes:
        """Return the message; a knock is never sent."""
        out = bytearray()
        if self.service_id:
            out += b"\x08"
            put_varint(out, self.service_id)
        for tag, text in ((0x12, self.network), (0x1A, self.address)):
            if text:
                raw = text.encode()
                out.append(tag)
                put_varint(out, len(raw))
                out += raw
        return bytes(out)


def health_service(request: bytes) -> str:
    """Return the service a `HealthCheckRequest` asks about.

    Raises:
        ValueError: It is not such a message.
    """
    service = ""
    for number, value in fields(request):
        if number == 1 and isinstance(value, bytes):
            service = value.decode()
    return service


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and raw value of every field, unknown ones too."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        kind, value = tag & 7, 0
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} of field {tag >> 3} is not known")
        if at + length > end:
            raise ValueError("message ends inside a field")
        yield tag >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("message has a broken varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def put_varint(out: bytearray, value: int) -> None:
    """Append a varint."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
