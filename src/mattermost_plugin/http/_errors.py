"""What can go wrong with HTTP beside what frameworks raise."""

from __future__ import annotations

__all__ = ["ClientDisconnected"]


class ClientDisconnected(OSError):
    """The client has left: it sends no more of the body, or reads no more of the response.

    Raised in WSGI applications and in handlers of a `Router`; ASGI applications hear `http.disconnect`.
    """
