"""What the package exports is a promise to authors: a change of it is made on purpose.

After a change on purpose: `python -m tests.unit.test_exported_names`.
"""

import importlib
from pathlib import Path

import pytest

import mattermost_plugin

MODULES = (
    "mattermost_plugin",
    "mattermost_plugin.api",
    "mattermost_plugin.cli",
    "mattermost_plugin.errors",
    "mattermost_plugin.files",
    "mattermost_plugin.hooks",
    "mattermost_plugin.http",
    "mattermost_plugin.models",
    "mattermost_plugin.plugin",
    "mattermost_plugin.sql",
)
FROZEN = Path(__file__).parent / "exported_names.txt"


def exported() -> list[str]:
    return [
        f"{name}.{export}" for name in MODULES for export in sorted(importlib.import_module(name).__all__)
    ]


def test_the_exported_names_are_the_frozen_ones() -> None:
    assert exported() == FROZEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", MODULES)
def test_every_exported_name_is_there(name: str) -> None:
    module = importlib.import_module(name)
    missing = [export for export in module.__all__ if getattr(module, export, None) is None]
    assert missing == []


def test_every_module_that_is_not_listed_begins_with_an_underscore() -> None:
    package = Path(mattermost_plugin.__path__[0])
    public = {
        f"mattermost_plugin.{path.stem}"
        for path in package.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").is_file()) and not path.name.startswith("_")
    }
    assert public - set(MODULES) <= {"mattermost_plugin.reject"}


if __name__ == "__main__":
    FROZEN.write_text("".join(f"{name}\n" for name in exported()), encoding="utf-8")
