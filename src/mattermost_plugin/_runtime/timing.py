"""How long the end of a plugin may take, in seconds."""

from __future__ import annotations

__all__ = ["CALLS_GRACE", "DEACTIVATE_GRACE", "EXIT_GRACE", "HOST_LOST_AFTER"]

# What `on_deactivate` may take when the process ends by itself. Then the host's own patience is over too.
DEACTIVATE_GRACE = 10.0

# What running calls may take once the plugin is deactivated. go-plugin kills 2 s after Shutdown.
CALLS_GRACE = 1.0

# What the interpreter's own end may take: it waits for the author's threads, and for ever if they do not end.
EXIT_GRACE = 2.0

# How long the host may be without any broker stream before it counts as gone.
HOST_LOST_AFTER = 1.0
