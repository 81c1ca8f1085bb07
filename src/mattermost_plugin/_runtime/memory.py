"""How often the garbage collector runs; `collect_less_often` of the plugin's class turns this off."""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["settle"]

#: What Python begins with: 3.13 and later have the second.
_DEFAULTS: Final = frozenset({(700, 10, 10), (2000, 10, 10), (2000, 10, 0)})

#: Objects that are made, and not freed, before Python searches for cycles among them. A few hundred posts are
#: more than its own number: it searches again and again while a list of them grows, and finds nothing.
_NEW_OBJECTS: Final = 20_000


def settle() -> None:
    """Freeze what is loaded, so that the garbage collector passes over it, and let it run less often.

    To be called once, when everything is loaded and no call has begun. What an author has set stays.
    """
    gc.freeze()
    thresholds = gc.get_threshold()
    if thresholds in _DEFAULTS:
        gc.set_threshold(_NEW_OBJECTS, *thresholds[1:])
