"""How much a client may ask of a WSGI application's threads."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HTTPLimits"]


@dataclass(frozen=True)
class HTTPLimits:
    """Limits of a WSGI application, as the attribute `http_limits` of a plugin's class.

    A request's body is received before a thread runs the application, so that slow clients keep none. ASGI
    applications and a `Router` are not limited by these.

    Args:
        workers: Threads, which is how many requests are worked on at the same time.
        max_body: Bytes; the client gets a 413 for a longer body.
        body_memory: Bytes of a body that are kept in memory; more goes to a temporary file.
        body_rate: Bytes per second that a client must send on average, or it gets a 408.
        body_grace: Seconds from the beginning of a body in which it may come at any rate.
        body_timeout: Seconds in which a body must have come, or the client gets a 408.
        send_timeout: Seconds that a thread waits for a client to read more of a response; the connection is
            broken off then.

    Raises:
        ValueError: A limit is not positive.
    """

    workers: int = 64
    max_body: int = 1 << 30
    body_memory: int = 256 << 10
    body_rate: int = 500
    body_grace: float = 20
    body_timeout: float = 3600
    send_timeout: float = 30

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"HTTPLimits.{name} is {value!r}; it must be more than 0")
