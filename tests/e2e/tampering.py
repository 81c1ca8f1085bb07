"""Bundles as the build would not make them."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.harness import Json

__all__ = ["tampered"]


def tampered(
    bundle: Path,
    target: Path,
    *,
    manifest: Callable[[Json], None] = lambda _: None,
    replace: dict[str, bytes] | None = None,
) -> Path:
    """Write a changed copy of a bundle and return its path.

    Args:
        bundle: The archive to start from.
        target: Where the copy goes.
        manifest: Changes the manifest.
        replace: New contents of files, by the end of their path.
    """
    replace = dict(replace or {})
    with tarfile.open(bundle) as source, tarfile.open(target, "w:gz") as copy:
        for member in source:
            file = source.extractfile(member) if member.isfile() else None
            content = file.read() if file is not None else b""
            if member.name.endswith("/plugin.json") and member.name.count("/") == 1:
                parsed = json.loads(content)
                manifest(parsed)
                content = json.dumps(parsed).encode()
            for end in [end for end in replace if member.name.endswith(end)]:
                content = replace.pop(end)
            member.size = len(content)
            copy.addfile(member, io.BytesIO(content) if file is not None else None)
    assert not replace, f"{bundle.name} has no {', '.join(replace)}"
    return target
