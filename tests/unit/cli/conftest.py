"""A plugin's folder to build, and bundles to look into."""

import hashlib
import json
import tarfile
import zipfile
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


@pytest.fixture
def write_wheel() -> Callable[..., Path]:
    """Write a wheel of a module that does nothing; `files` are added, with their modes."""

    def write(
        folder: Path, name: str, *, requires: str = "", files: dict[str, tuple[str, int]] | None = None
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        wheel = folder / f"{name}-1.0-py3-none-any.whl"
        info = f"{name}-1.0.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        everything = {
            f"{name}.py": ("", 0o644),
            **(files or {}),
            f"{info}/METADATA": (metadata + (f"Requires-Dist: {requires}\n" if requires else ""), 0o644),
            f"{info}/WHEEL": ("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n", 0o644),
        }
        record = f"{info}/RECORD"
        everything[record] = ("".join(f"{path},,\n" for path in (*everything, record)), 0o644)
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, (text, mode) in everything.items():
                entry = zipfile.ZipInfo(path)
                entry.external_attr = (0o100000 | mode) << 16
                archive.writestr(entry, text)
        return wheel

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
