"""The answer of a hook that does not allow what is about to happen."""

from __future__ import annotations

__all__ = ["DISMISS_POST", "Reject"]

# What Mattermost reads as "drop the post and show nothing", instead of a reason for the user.
DISMISS_POST = "plugin.message_will_be_posted.dismiss_post"


class Reject:
    """Returned by a "will" hook to refuse: the user sees the reason.

    Only hooks whose declared result names `Reject` accept it.

    Attributes:
        reason: What the user is told; never empty.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        """Refuse for `reason`.

        Raises:
            TypeError: The reason is not a string.
            ValueError: The reason is empty, which the server would read as consent.
        """
        if not isinstance(reason, str):
            raise TypeError(f"Reject needs the reason as a str, got {type(reason).__name__}")
        if not reason:
            raise ValueError("Reject needs a reason: the server reads an empty one as consent")
        self.reason = reason

    @classmethod
    def dismiss(cls) -> Reject:
        """Drop the post without telling its author why (`message_will_be_posted` only)."""
        return cls(DISMISS_POST)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reject):
            return NotImplemented
        return self.reason == other.reason

    def __hash__(self) -> int:
        return hash((Reject, self.reason))

    def __repr__(self) -> str:
        return f"Reject({self.reason!r})"
