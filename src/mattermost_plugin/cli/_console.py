"""Writing lines for people to the standard streams, whatever became of these."""

import os
from contextlib import suppress
from typing import TextIO

__all__ = ["OutputClosedError", "write_line"]


class OutputClosedError(Exception):
    """Nobody reads the output any more, as with `mattermost-plugin build . | head -1`."""


def write_line(stream: TextIO | None, line: str) -> None:
    """Write a line to `stream`, with escapes for characters that it cannot show; None: nothing is written.

    Raises:
        OutputClosedError: the other end is closed.
        OSError: it cannot be written to.
    """
    if stream is None:  # the command was started without this stream
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        _discard(stream)
        raise OutputClosedError from None
    except OSError:
        _discard(stream)
        raise


def _discard(stream: TextIO) -> None:
    """Send what the stream still holds nowhere: Python would try to write it again at its exit."""
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
