"""Bundles as the build would not make them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.harness import Json

__all__ = ["tampered"]

CHECKSUMS = "server/checksums.sha256"


def tampered(
    bundle: Path,
    target: Path,
    *,
    manifest: Callable[[Json], None] = lambda _: None,
    scripts: dict[str, Callable[[str], str]] | None = None,
    checksums: bool = True,
) -> Path:
    """Write a changed copy of a bundle and return its path.

    Args:
        bundle: The archive to start from.
        target: Where the copy goes.
        manifest: Changes the manifest.
        scripts: Change text files, by their path in the bundle.
        checksums: Whether the list of checksums is brought in line with the changed files.
    """
    changes = dict(scripts or {})
    with tarfile.open(bundle) as source, tarfile.open(target, "w:gz", compresslevel=1) as copy:
        members = [(member, _content(source, member)) for member in source]
        sums: dict[str, str] = {}
        # The list of checksums comes last: it has to know the others.
        for member, content in sorted(members, key=lambda pair: pair[0].name.endswith(CHECKSUMS)):
            path = member.name.partition("/")[2]
            if path == "plugin.json":
                parsed = json.loads(content)
                manifest(parsed)
                content = json.dumps(parsed).encode()
            elif path in changes:
                content = changes.pop(path)(content.decode()).encode()
                sums[path] = hashlib.sha256(content).hexdigest()
            elif path == CHECKSUMS and checksums:
                content = _corrected(content.decode(), sums).encode()
            member.size = len(content)
            copy.addfile(member, io.BytesIO(content) if member.isfile() else None)
    assert not changes, f"{bundle.name} has no {', '.join(changes)}"
    return target


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isfile() else None
    return b"" if file is None else file.read()


def _corrected(listed: str, sums: dict[str, str]) -> str:
    for path, digest in sums.items():
        listed, count = re.subn(
            rf"^[0-9a-f]{{64}}(?=  {re.escape(path)}$)", digest, listed, flags=re.MULTILINE
        )
        assert count == 1, f"{path} is not among the checksums"
    return listed
