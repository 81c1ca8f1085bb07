"""Log lines as hashicorp's hclog writes them, which is how a plugin host reads a plugin's stderr.

One JSON object per line: `@level`, `@message`, `@module`, `@timestamp`, and every field beside them.
"""

from __future__ import annotations

import time
from json.encoder import JSONEncoder, encode_basestring_ascii
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["format_line", "record_lines"]

# go-plugin reads lines through a buffer of 64 KiB and takes what is longer for text of no level.
_LONGEST_LINE = 60 * 1024
# Characters of a message or field per line when it must be split: each may need six bytes (`\uXXXX`).
_PIECE = 9 * 1024

# The one form of a time that go-plugin parses; a line with another one is taken for text.
_SECONDS = "%Y-%m-%dT%H:%M:%S"

# Where the time stands in a line: records that differ only in it say the same.
_TIME_AT = len('{"@timestamp":"')
_TIME_SIZE = len("2006-01-02T15:04:05.000000Z")


def record_lines(
    level: str, message: str, module: str, timestamp: float, fields: Mapping[str, Any] | None = None
) -> tuple[bytes, list[bytes]]:
    """Return what a record says without its time, and its lines; the arguments are those of `format_line`.

    A record too long for a line becomes several, numbered by the field `part`.
    """
    line = format_line(level, message, module, timestamp, fields)
    said = line[_TIME_AT + _TIME_SIZE :]
    if len(line) <= _LONGEST_LINE:
        return said, [line]
    return said, list(_split(level, message, module, timestamp, fields or {}))


def format_line(
    level: str, message: str, module: str, timestamp: float, fields: Mapping[str, Any] | None = None
) -> bytes:
    """Return one line with its newline.

    Args:
        level: `trace`, `debug`, `info`, `warn` or `error`.
        message: Any text; line breaks stay inside it.
        module: Name of the logger.
        timestamp: Seconds since the epoch.
        fields: What else the record carries. Values that JSON lacks are written as `str` shows them.
    """
    quote = encode_basestring_ascii
    line = (
        f'{{"@timestamp":"{_format_time(timestamp)}","@level":"{level}","@message":{quote(message)},'
        f'"@module":{quote(module)}'
    )
    if fields:
        for key, value in fields.items():
            name = key if not key.startswith("@") else key[1:] or "_"
            line += f",{quote(name)}:{_encode(value)}"
    return (line + "}\n").encode("ascii")


_last_second: tuple[int, str] = (-1, "")


def _format_time(timestamp: float) -> str:
    global _last_second  # noqa: PLW0603 - the text of one second serves thousands of lines
    whole = int(timestamp)
    second, text = _last_second
    if second != whole:
        text = time.strftime(_SECONDS, time.gmtime(whole))
        _last_second = (whole, text)
    return f"{text}.{int((timestamp - whole) * 1e6):06d}Z"


def _encode(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value) if -(2**63) <= value < 2**63 else f'"{value}"'
    if value is None:
        return "null"
    try:
        return _ENCODER.encode(value)
    except Exception:  # noqa: BLE001 - a cycle, a NaN, a bad key, a failing __str__: the record matters more
        return encode_basestring_ascii(_show(value))


def _show(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - the author's __str__ may raise anything
        return f"<{type(value).__name__} whose str() raised {type(error).__name__}>"


_ENCODER = JSONEncoder(default=_show, allow_nan=False, separators=(",", ":"))


def _split(
    level: str, message: str, module: str, timestamp: float, fields: Mapping[str, Any]
) -> Iterator[bytes]:
    """Yield lines that together hold the whole record: the message first, then its long fields."""
    short: dict[str, Any] = {}
    long: list[tuple[str, str]] = []
    room = _PIECE
    for key, value in fields.items():
        text = value if isinstance(value, str) else _encode(value)
        if len(key) + len(text) < room:
            short[key] = value
            room -= len(key) + len(text)
        else:
            long.append((key, text))
    pieces: list[tuple[str | None, str]] = [(None, piece) for piece in _pieces(message)]
    pieces += [(key, piece) for key, text in long for piece in _pieces(text)]
    for number, (name, piece) in enumerate(pieces, 1):
        extra = {**short, "part": f"{number}/{len(pieces)}"}
        if name is None:
            yield format_line(level, piece, module, timestamp, extra)
        else:
            extra[name[:256]] = piece
            yield format_line(level, message[:256], module, timestamp, extra)


def _pieces(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)] or [""]
