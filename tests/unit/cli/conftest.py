"""A plugin's folder to build, and bundles to look into."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MANIFEST: dict[str, Any] = {
    "id": "com.example.hello",
    "name": "Hello",
    "version": "1.2.3",
    "server": {"entrypoint": "plugin.py"},
}


@pytest.fixture
def write_plugin(tmp_path: Path) -> Callable[..., Path]:
    """Write a plugin's folder: `manifest` replaces keys of a valid one (None removes), `files` are added."""

    def write(
        name: str = "hello", *, manifest: dict[str, Any] | None = None, files: dict[str, str] | None = None
    ) -> Path:
        folder = tmp_path / name
        merged = {key: value for key, value in {**MANIFEST, **(manifest or {})}.items() if value is not None}
        everything = {"plugin.json": json.dumps(merged), "plugin.py": "import greeting\n", **(files or {})}
        for path, text in everything.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return folder

    return write


@dataclass
class Bundle:
    """An archive, unpacked."""

    folder: Path
    members: list[tarfile.TarInfo]

    @property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.folder / "plugin.json").read_text(encoding="utf-8"))
        return manifest

    def files(self, below: str = "") -> set[str]:
        start = self.folder / below
        return {path.relative_to(start).as_posix() for path in start.rglob("*") if path.is_file()}

    def checksums(self) -> dict[str, str]:
        lines = (self.folder / "server/checksums.sha256").read_text(encoding="utf-8").splitlines()
        return {line[66:]: line[:64] for line in lines}

    def digest(self, path: str) -> str:
        return hashlib.sha256((self.folder / path).read_bytes()).hexdigest()


@pytest.fixture
def unpack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Bundle]:
    """Unpack an archive as the server does: the one folder at its top is the bundle."""

    def unpack(archive: Path) -> Bundle:
        target = tmp_path_factory.mktemp("bundle")
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            tar.extractall(target, filter="data")
        (top,) = target.iterdir()
        return Bundle(top, members)

    return unpack
