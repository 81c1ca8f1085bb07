"""Finding misspelt keys in plugin.json. Others are left to servers newer than this."""

import difflib
from collections.abc import Iterable, Iterator

from mattermost_plugin.cli._problems import Problem

__all__ = ["misspelt"]


def misspelt(keys: Iterable[str], known: tuple[str, ...], prefix: str) -> Iterator[Problem]:
    """Find those of `keys`, which stand below `prefix`, that are like one of `known` and are none of them."""
    for key in keys:
        if key in known:
            continue
        if key.lower() in known:
            # A server reads keys whatever their case, so this one would count too.
            fix = f"write it as {prefix}{key.lower()}"
        elif near := difflib.get_close_matches(key, known, n=1, cutoff=0.8):
            fix = f"did you mean {prefix}{near[0]}?"
        else:
            continue
        yield Problem(file="plugin.json", key=f"{prefix}{key}", what="unknown key", fix=fix)
