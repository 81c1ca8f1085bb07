"""Content for code on asyncio, cut into pieces."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mattermost_plugin._runtime.pieces import PIECE, checked, cut, take_full

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from mattermost_plugin.files import AsyncContent

__all__ = ["pieces"]


async def pieces(content: AsyncContent, name: str) -> AsyncIterator[bytes | memoryview]:
    """Yield content in pieces that are large, however small those are that it comes in.

    A file whose `read` blocks is read on worker threads.
    """
    if isinstance(content, (bytes, bytearray, memoryview)):
        for piece in cut(memoryview(content)):
            yield piece
        return
    if hasattr(content, "read"):
        while read := await _read(content):
            for piece in cut(checked(read, name)):
                yield piece
        return
    held = bytearray()
    if hasattr(content, "__aiter__"):
        async for item in content:
            held += checked(item, name)
            for full in take_full(held):
                yield full
    else:
        for item in content:
            held += checked(item, name)
            for full in take_full(held):
                yield full
    if held:
        yield bytes(held)


async def _read(file: Any) -> Any:
    if asyncio.iscoroutinefunction(file.read):
        return await file.read(PIECE)
    read = await asyncio.to_thread(file.read, PIECE)
    # A coroutine by another name, such as the method of a wrapper.
    return await read if hasattr(read, "__await__") else read
