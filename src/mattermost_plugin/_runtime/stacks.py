"""Where a thread or a task stands, as text for the log."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

__all__ = ["of_task", "of_thread", "sample"]

# A stack is a field of one log line: deep recursion is cut in the middle.
_MOST_FRAMES = 60

# What runs a callback of an event loop. Frames up to there are the runtime's and say nothing.
_RUNS_CALLBACKS = ("/asyncio/events.py", "\\asyncio\\events.py")


def of_thread(thread: int | None) -> str:
    """Return the stack of a thread by its `ident`, outermost call first; empty: it has ended."""
    return sample(thread)[1]


def sample(thread: int | None) -> tuple[str, str]:
    """Return the name of the file in which a thread runs Python code, and its stack; empty: it has ended."""
    frame = _frame(thread)
    if frame is None:
        return "", ""
    # Lines first: to read their text from files lets the thread go on.
    frames = list(traceback.walk_stack(frame))
    file = os.path.basename(frame.f_code.co_filename)
    return file, _shown(traceback.StackSummary.extract(iter(frames[::-1])))


def of_task(task: asyncio.Task[Any]) -> str:
    """Return the stack of a task that waits: the chain of coroutines, the innermost last."""
    frames: list[tuple[FrameType, int]] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = _first(waiting, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            frames.append((frame, frame.f_lineno))
        following = _first(waiting, "cr_await", "gi_yieldfrom", "ag_await")
        waiting = following if following is not waiting else None
    return _shown(traceback.StackSummary.extract(iter(frames)))


def _frame(thread: int | None) -> FrameType | None:
    return None if thread is None else sys._current_frames().get(thread)


def _first(value: Any, *names: str) -> Any:
    return next((found for name in names if (found := getattr(value, name, None)) is not None), None)


def _shown(stack: traceback.StackSummary) -> str:
    for number in range(len(stack) - 2, -1, -1):
        if stack[number].filename.endswith(_RUNS_CALLBACKS) and stack[number].name == "_run":
            stack = traceback.StackSummary.from_list(stack[number + 1 :])
            break
    if len(stack) > _MOST_FRAMES:
        half = _MOST_FRAMES // 2
        left_out = f"  ... {len(stack) - 2 * half} calls left out ...\n"
        lines = [*_lines(stack[:half]), left_out, *_lines(stack[-half:])]
    else:
        lines = _lines(stack)
    return "".join(lines).rstrip("\n")


def _lines(frames: list[traceback.FrameSummary]) -> list[str]:
    return traceback.StackSummary.from_list(frames).format()
