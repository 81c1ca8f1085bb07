"""Request headers as few octets: entered into the server's dynamic table once, referred to from then on.

Decoding literals costs a server more than anything else in a small call. What recurs - the fields of every
request, the paths, usual deadlines - is entered into its table (RFC 7541, section 6.2.1) by the first call
that has it; the header block of the calls after it is a constant of some octets. Nothing is ever evicted:
once the table is full, what is new goes as literals.
"""

from __future__ import annotations

from typing import Final

from mattermost_plugin._grpc.header_blocks import STATIC_PAIRS, encode_field, encode_indexed, encode_integer
from mattermost_plugin._grpc.timeouts import encode_timeout

__all__ = ["HeaderEncoder", "RequestTemplate"]

_DEFAULT_TABLE_SIZE: Final = 4096
_ENTRY_OVERHEAD: Final = 32
_FIRST_DYNAMIC_INDEX: Final = 62
_MAX_TIMEOUTS: Final = 8
_MAX_REMEMBERED: Final = 1024


class RequestTemplate:
    """The header fields that calls have in common; compared by identity.

    Args:
        fields: all of them, in order.
    """

    __slots__ = ("_by_timeout", "fields")

    def __init__(self, fields: tuple[tuple[bytes, bytes], ...]) -> None:
        self.fields = fields
        self._by_timeout: dict[float, RequestTemplate] = {}

    def with_timeout(self, seconds: float) -> RequestTemplate | None:
        """Return the template with a deadline as well, None if there are too many different ones."""
        template = self._by_timeout.get(seconds)
        if template is None and len(self._by_timeout) < _MAX_TIMEOUTS:
            template = RequestTemplate((*self.fields, (b"grpc-timeout", encode_timeout(seconds))))
            self._by_timeout[seconds] = template
        return template


class HeaderEncoder:
    """Encodes the requests of one connection. What it returns must be sent, in this order."""

    def __init__(self) -> None:
        self._entries: dict[tuple[bytes, bytes], int] = {}
        self._used = 0
        self._size = _DEFAULT_TABLE_SIZE
        self._update = b""
        self._remembered: dict[RequestTemplate, bytes] = {}

    def limit_table(self, size: int) -> None:
        """Apply the server's SETTINGS_HEADER_TABLE_SIZE; a larger table than before is not made use of."""
        if size >= self._size:
            return
        if size < self._used:
            size = 0
            self._entries.clear()
            self._used = 0
        self._size = size
        self._update = encode_integer(size, 5, 0x20)
        self._remembered.clear()

    def encode(self, template: RequestTemplate) -> bytes:
        """Return the header block of a request."""
        block = self._remembered.get(template)
        if block is None:
            block = self._encode(template)
        return block

    def _encode(self, template: RequestTemplate) -> bytes:
        entries = self._entries
        before = len(entries)
        update, self._update = self._update, b""
        parts = [update]
        for field in template.fields:
            number = entries.get(field)
            if number is not None:
                parts.append(encode_indexed(_FIRST_DYNAMIC_INDEX + len(entries) - 1 - number))
            elif field not in STATIC_PAIRS and self._enter(field):
                parts.append(encode_field(*field, enter=True))
            else:
                parts.append(encode_field(*field))
        block = b"".join(parts)
        if len(entries) > before:
            self._remembered.clear()  # every entry has got another index
        elif not update:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[template] = block
        return block

    def _enter(self, field: tuple[bytes, bytes]) -> bool:
        size = len(field[0]) + len(field[1]) + _ENTRY_OVERHEAD
        if self._used + size > self._size:
            return False
        self._used += size
        self._entries[field] = len(self._entries)
        return True
