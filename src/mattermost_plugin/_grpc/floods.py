"""A limit on what costs the peer little and this side much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FloodGuard"]


class FloodGuard:
    """Counts resets, pings, settings and empty frames, against floods of them.

    Tokens are spent on such frames, granted with time, and granted for every answer sent: a peer that lets
    work be done may also ping, cancel and so on.

    Args:
        burst: tokens at the start, and the most there can be.
        clock: seconds, monotonic.
    """

    __slots__ = ("_burst", "_clock", "_granted_at", "tokens")

    def __init__(self, burst: int, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._clock = clock
        self._granted_at = clock()
        self.tokens = burst

    def spend(self) -> None:
        """Count one frame.

        Raises:
            ConnectionFault: ENHANCE_YOUR_CALM if there were too many.
        """
        self.tokens = min(self.tokens, self._burst) - 1
        if self.tokens < 0:
            now = self._clock()
            granted = int((now - self._granted_at) * max(1, self._burst // 100))
            self._granted_at = now
            self.tokens = min(granted, self._burst)
            if granted <= 0:
                raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings, resets or empty frames")
