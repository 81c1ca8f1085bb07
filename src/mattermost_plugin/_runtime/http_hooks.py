"""Which HTTP hooks a plugin serves, told without loading anything that HTTP needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._gen.hook_methods import HOOKS

if TYPE_CHECKING:
    from mattermost_plugin._codec.methods import Method

__all__ = ["http_hooks"]


def http_hooks(plugin: object) -> dict[str, Method]:
    """Return the hooks behind the attributes `http` and `metrics` that a plugin has, by attribute.

    An attribute of the class counts as it stands there: a method or property is not called for this.
    """
    found: dict[str, Method] = {}
    for attribute, hook in (("http", "serve_http"), ("metrics", "serve_metrics")):
        own = vars(plugin).get(attribute) if hasattr(plugin, "__dict__") else None
        if own is not None or getattr(type(plugin), attribute, None) is not None:
            found[attribute] = HOOKS[hook]
    return found
