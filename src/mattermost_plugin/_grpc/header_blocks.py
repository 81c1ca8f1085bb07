"""Header blocks: encoding without state, decoding with a memory.

What a server sends never enters the peer's dynamic table (literals without indexing, RFC 7541, section
6.2.2), so a block can be a constant; for clients see `header_encoder`. What is received is decoded by the
`hpack` library; a block that left the dynamic table as it was means the same as long as nothing changes the
table, so what was made of it is remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode

if TYPE_CHECKING:
    from typing import Final

__all__ = [
    "STATIC_PAIRS",
    "HeaderBlockDecoder",
    "HeaderList",
    "encode_block",
    "encode_field",
    "encode_indexed",
    "encode_integer",
]

HeaderList = Sequence[tuple[bytes, bytes]]
Decoded = TypeVar("Decoded")
Known = TypeVar("Known")

# The library logs every field it decodes at debug level. An author who sets the root logger to debug wants to
# see the plugin, and metadata may be secret.
logging.getLogger("hpack").setLevel(logging.INFO)

#: Fields that are in the static table, by their index.
STATIC_PAIRS: Final = {pair: index for index, pair in enumerate(HeaderTable.STATIC_TABLE, 1) if pair[1]}
_INDEX_OF_NAME: Final = {
    name: index for index, (name, _) in reversed(list(enumerate(HeaderTable.STATIC_TABLE, 1)))
}


def encode_integer(value: int, prefix_bits: int, first_octet: int) -> bytes:
    """Return an integer (RFC 7541, section 5.1) after the other bits of its first octet."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes((first_octet | value,))
    octets = bytearray((first_octet | limit,))
    value -= limit
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def encode_indexed(index: int) -> bytes:
    """Return a field that is in a table."""
    return encode_integer(index, 7, 0x80)


def encode_field(name: bytes, value: bytes, *, enter: bool = False) -> bytes:
    """Return one header field.

    Args:
        name: its name.
        value: its value.
        enter: enter it into the peer's dynamic table. Otherwise its octets depend on nothing but the field.
    """
    index = STATIC_PAIRS.get((name, value))
    if index is not None:
        return encode_indexed(index)
    bits, first = (6, 0x40) if enter else (4, 0)
    index = _INDEX_OF_NAME.get(name)
    if index is not None:
        return encode_integer(index, bits, first) + encode_integer(len(value), 7, 0) + value
    return bytes((first,)) + encode_integer(len(name), 7, 0) + name + encode_integer(len(value), 7, 0) + value


def encode_block(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a header block."""
    return b"".join([encode_field(name, value) for name, value in fields])


class _WatchedTable(HeaderTable):
    """A dynamic table that tells whether it changed."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = False

    def add(self, name: bytes, value: bytes) -> None:
        self.changed = True
        super().add(name, value)

    def resize(self, size: int) -> None:
        self.changed = True
        self.maxsize = size


class _WatchedDecoder(Decoder):
    def __init__(self, max_header_list_size: int) -> None:
        super().__init__(max_header_list_size)
        self.header_table: _WatchedTable = _WatchedTable()

    def _update_encoding_context(self, data: bytes | memoryview) -> int:
        self.header_table.changed = True
        return super()._update_encoding_context(data)


_TIMEOUT: Final = b"grpc-timeout"
_CODED_TIMEOUT: Final = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(_TIMEOUT)
# The name as a literal without indexing: Huffman-coded (grpc-go), and plain (this endpoint).
_TIMEOUT_MARKS: Final = (
    b"\0" + bytes((0x80 | len(_CODED_TIMEOUT),)) + _CODED_TIMEOUT,
    b"\0" + bytes((len(_TIMEOUT),)) + _TIMEOUT,
)
_LONG: Final = 0x7F  # a length that needs more octets


class HeaderBlockDecoder(Generic[Decoded]):
    """Decodes the header blocks of one direction of a connection.

    Most blocks of a connection are the same few ones. Those with a deadline differ from call to call, but
    only in the value of `grpc-timeout`: they are remembered without it.

    Args:
        interpret: makes of a header list what the connection works with. It must not fail: what is wrong with
            a
            list is part of its result.
        max_header_list_size: a header list may be four times as large before the connection is given up;
            whether a smaller one is too large is for `interpret` to say.
    """

    MAX_REMEMBERED = 256
    MAX_REMEMBERED_SIZE = 1024

    def __init__(self, interpret: Callable[[HeaderList], Decoded], max_header_list_size: int) -> None:
        self._interpret = interpret
        self._decoder = _WatchedDecoder(4 * max_header_list_size)
        self._table = self._decoder.header_table
        self.remembered: dict[bytes, Decoded] = {}
        # Blocks with their timeouts, for peers that send the same ones; others fill it in vain.
        # `decode` fills it for its caller, who looks into it first.
        self.timed: dict[bytes, tuple[Decoded, bytes]] = {}
        self._without_timeout: dict[bytes, tuple[int, Decoded]] = {}

    def limit_table(self, size: int) -> None:
        """Apply a table size that the peer has acknowledged; the peer is not made to say so itself."""
        self._decoder.max_allowed_table_size = size
        if size < self._table.maxsize:
            self._table.resize(size)
            self._forget()

    def decode(self, block: bytes) -> tuple[Decoded, bytes | None]:
        """Decode a block.

        Returns:
            What `interpret` made of the list without `grpc-timeout`, and the value of `grpc-timeout`.

        Raises:
            ConnectionFault: the block is not valid, so that nothing sent later could be understood.
        """
        known = self.remembered.get(block)
        if known is not None:
            return known, None
        for mark in _TIMEOUT_MARKS:
            start = block.find(mark)
            if start >= 0:
                return self._decode_with_timeout(block, start, start + len(mark))
        return self._decode_new(block)

    def _decode_with_timeout(self, block: bytes, start: int, value_at: int) -> tuple[Decoded, bytes | None]:
        end = value_at + 1 + (block[value_at] & _LONG) if value_at < len(block) else value_at
        rest = block[:start] + block[end:]
        known = self._without_timeout.get(rest)
        # The same rest with the same place means: the mark stands where a field begins, as it was found to be
        # when the rest was remembered. Anything else is decoded field by field.
        if known is None or known[0] != start or end > len(block) or block[value_at] & _LONG == _LONG:
            result, value = self._decode_new(block)
            if value is not None and len(rest) <= self.MAX_REMEMBERED_SIZE and not self._table.changed:
                self._remember_rest(rest, start, value, end - value_at - 1, result)
            return result, value
        value = block[value_at + 1 : end]
        if block[value_at] & 0x80:
            try:
                value = bytes(decode_huffman(value))
            except HPACKError as error:
                raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, str(error)) from error
        found = known[1], value
        if len(block) <= self.MAX_REMEMBERED_SIZE:
            self._remember(self.timed, block, found)
        return found

    def _remember_rest(self, rest: bytes, start: int, value: bytes, coded_size: int, result: Decoded) -> None:
        # Both parts must be whole fields by themselves. A value of 127 octets and more has a longer length.
        try:
            parts = [
                *self._decoder.decode(rest[:start], raw=True),
                *self._decoder.decode(rest[start:], raw=True),
            ]
        except HPACKError:
            return
        if coded_size < _LONG and not self._table.changed and all(name != _TIMEOUT for name, _ in parts):
            self._remember(self._without_timeout, rest, (start, result))

    def _decode_new(self, block: bytes) -> tuple[Decoded, bytes | None]:
        table = self._table
        table.changed = False
        try:
            fields = self._decoder.decode(block, raw=True)
        except OversizedHeaderListError as error:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, str(error)) from error
        except (HPACKError, IndexError) as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, str(error)) from error
        timeouts = [value for name, value in fields if name == _TIMEOUT]
        if timeouts:
            result = self._interpret([(name, value) for name, value in fields if name != _TIMEOUT])
        else:
            result = self._interpret([(name, value) for name, value in fields])
        if table.changed:
            self._forget()
        elif not timeouts and len(block) <= self.MAX_REMEMBERED_SIZE:
            self._remember(self.remembered, block, result)
        return result, timeouts[-1] if timeouts else None

    def _remember(self, known: dict[bytes, Known], block: bytes, found: Known) -> None:
        if len(known) >= self.MAX_REMEMBERED:
            known.clear()
        known[block] = found

    def _forget(self) -> None:
        self.remembered.clear()
        self.timed.clear()
        self._without_timeout.clear()
