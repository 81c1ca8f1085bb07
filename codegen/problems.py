"""What keeps the generator from going on; the command shows these as one message without a traceback."""

from __future__ import annotations


class CodegenError(Exception):
    """The input, or a tool, does not allow to generate; the message says what to decide or repair."""
