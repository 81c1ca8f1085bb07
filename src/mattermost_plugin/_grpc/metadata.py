"""Custom metadata: what callers pass and get, and how it travels as header fields."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.header_blocks import HeaderList, encode_field

if TYPE_CHECKING:
    from typing import Final

    from mattermost_plugin._grpc.status import Metadata

__all__ = ["MetadataItems", "decode_base64", "decode_metadata", "encode_binary", "encode_metadata"]

#: Metadata as received.
MetadataItems = tuple[tuple[str, "str | bytes"], ...]

# What belongs to HTTP/2 and gRPC themselves; applications neither set nor see it.
_RESERVED: Final = frozenset(
    (
        b"connection",
        b"content-length",
        b"content-type",
        b"host",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    )
)
_KEY: Final = re.compile(r"[0-9a-z_.\-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e]*")


def encode_metadata(metadata: Metadata) -> bytes:
    """Return custom metadata as header fields.

    Raises:
        ValueError: a key or value that gRPC does not allow.
        TypeError: bytes for a text key, or text for one that ends in "-bin".
    """
    return b"".join([_encode_item(key, value) for key, value in metadata])


def _encode_item(key: str, value: str | bytes) -> bytes:
    name = key.encode("ascii", "replace")
    if not _KEY.fullmatch(key) or name in _RESERVED or key.startswith("grpc-"):
        raise ValueError(
            f"metadata key {key!r} is not allowed: lower-case letters, digits, '_', '-', '.', not 'grpc-'"
        )
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise TypeError(f"the value of metadata key {key!r} must be bytes")
        return encode_binary(name, value)
    if not isinstance(value, str):
        raise TypeError(f"the value of metadata key {key!r} must be str; keys of bytes end in '-bin'")
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f"the value of metadata key {key!r} must be printable ASCII; use a key that ends in '-bin'"
        )
    return encode_field(name, value.encode("ascii"))


def encode_binary(name: bytes, value: bytes) -> bytes:
    """Return a field of octets in base64 without padding."""
    return encode_field(name, base64.b64encode(value).rstrip(b"="))


def decode_base64(value: bytes) -> bytes | None:
    """Decode base64 with or without padding; None if it is not base64."""
    try:
        return base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return None


def decode_metadata(fields: HeaderList) -> MetadataItems:
    """Return the custom metadata among header fields, in their order.

    Several values of a binary key may arrive in one field, separated by commas. A value that cannot be
    decoded is left out, as gRPC leaves it to implementations.
    """
    items: list[tuple[str, str | bytes]] = []
    for name, value in fields:
        if name[:1] == b":" or name in _RESERVED or name[:5] == b"grpc-":
            continue
        key = name.decode("ascii", "replace")
        if key.endswith("-bin"):
            for part in value.split(b","):
                decoded = decode_base64(part.strip())
                if decoded is not None:
                    items.append((key, decoded))
        else:
            items.append((key, value.decode("utf-8", "replace")))
    return tuple(items)
