"""Puts generated Go files together: header, package clause, the imports the body uses, gofmt."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GO_MODULE = "github.com/mattermost-plugin/mattermost-plugin/go"

# Packages that generated code uses and no Go type of the contract belongs to.
_OWN_PACKAGES = {
    "context": "context",
    "convert": f"{GO_MODULE}/internal/convert",
    "grpc": "google.golang.org/grpc",
    "math": "math",
    "netrpcwire": f"{GO_MODULE}/internal/netrpcwire",
    "pluginpb": f"{GO_MODULE}/pluginpb",
    "service": f"{GO_MODULE}/internal/service",
    "time": "time",
}

_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*")
_QUALIFIER = re.compile(r"(?<![\w.])([a-z]\w*)\.(?=[A-Z])")

# The contract has deprecated fields and methods, which travel like all others.
_LINT = "\n//lint:file-ignore SA1019 what is deprecated is part of the contract\n"

# What no parameter may be called in generated code: keywords, and names the bodies use themselves.
_KEYWORDS = """
    break case chan const continue default defer else fallthrough for func go goto if import interface map
    package range return select struct switch type var
"""
_BODY_NAMES = """
    any bool byte error false int int64 len make new nil string true a cancel ctx err h in out reason returns
    s target
"""
_RESERVED = frozenset((*_KEYWORDS.split(), *_BODY_NAMES.split()))


def go_file(package: str, body: str, packages: Mapping[str, str], header: str) -> str:
    """Return a Go file, not yet formatted.

    Args:
        package: Name of its package.
        body: Its declarations.
        packages: Qualifiers of the contract's packages and their import paths.
        header: The line that says where the file comes from.
    """
    known = {**packages, **_OWN_PACKAGES}
    used = {match for match in _QUALIFIER.findall(_LITERAL.sub("", body)) if match in known}
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for qualifier in used:
        path = known[qualifier]
        alias = "" if path.rsplit("/", 1)[-1] == qualifier else f"{qualifier} "
        group = 2 if path.startswith(GO_MODULE) else int("." in path.split("/", 1)[0])
        groups[group].append(f'{alias}"{path}"')
    lines = "\n\n".join("\n".join(sorted(group, key=_import_path)) for group in groups if group)
    imports = f"import (\n{lines}\n)\n\n" if lines else ""
    return f"{header}{_LINT}\npackage {package}\n\n{imports}{body.strip()}\n"


def parameter_names(names: Iterable[str], packages: Iterable[str]) -> list[str]:
    """Return names for parameters that hide no package, keyword or name that bodies use."""
    taken = _RESERVED | set(packages) | set(_OWN_PACKAGES)
    return [f"{name}Arg" if name in taken else name for name in names]


def format_go(files: Mapping[str, str]) -> dict[str, str]:
    """Run gofmt over files, which are given and returned as path -> text."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, f"{index}.go") for index, name in enumerate(files)}
        for name, text in files.items():
            paths[name].write_text(text, encoding="utf-8")
        done = subprocess.run(
            [_gofmt(), "-w", *map(str, paths.values())], capture_output=True, text=True, check=False
        )
        if done.returncode:
            culprits = {str(path): name for name, path in paths.items()}
            message = re.sub(
                r"^\S+?\.go", lambda m: culprits.get(m.group(), m.group()), done.stderr, flags=re.MULTILINE
            )
            raise ValueError(f"gofmt refuses generated code:\n{message}")
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


@functools.cache
def _gofmt() -> str:
    """Return the gofmt of the Go in use, which need not be on PATH."""
    if found := shutil.which("gofmt"):
        return found
    root = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    return str(Path(root, "bin", "gofmt"))


def _import_path(line: str) -> str:
    return line.split('"')[1]
