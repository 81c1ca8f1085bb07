"""Starting a plugin: a folder with the smallest one that does something."""

import json
import os
import re
from pathlib import Path

from mattermost_plugin._version import __version__
from mattermost_plugin.cli._file_errors import file_errors
from mattermost_plugin.cli._manifest_rules import check_manifest
from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["write_scaffold"]

_PLUGIN = '''\
"""{name}: answers everyone who says hello."""

from mattermost_plugin import Context, Plugin, Post


class {class_name}(Plugin):
    def message_will_be_posted(self, context: Context, post: Post) -> Post | None:
        if post.message.strip().lower() != "hello":
            return None  # unchanged
        post.message = "hello, world"
        return post


if __name__ == "__main__":
    {class_name}.run()
'''
_PYPROJECT = """\
[project]
name = "{distribution}"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["mattermost-plugin>={sdk}"]
"""


def write_scaffold(directory: Path, plugin_id: str | None = None) -> list[Path]:
    """Write a new plugin into `directory` and return the files written.

    Raises:
        BuildError: there is something at `directory` already, no id can be made of its name, or it cannot be
            written; nothing was.
    """
    with file_errors(directory.parent):
        files = _files(directory, plugin_id)
        made = not directory.exists()
        directory.mkdir(parents=True, exist_ok=True)
        try:
            for file, text in files.items():
                (directory / file).write_text(text, encoding="utf-8")
        except BaseException:
            for file in files:
                (directory / file).unlink(missing_ok=True)
            if made:
                directory.rmdir()
            raise
    return [directory / file for file in files]


def _files(directory: Path, plugin_id: str | None) -> dict[str, str]:
    words = re.findall(r"[a-z0-9]+", Path(os.path.normpath(directory.absolute())).name.lower())
    name = " ".join(word.capitalize() for word in words) or "Hello"
    manifest = {
        "id": plugin_id or f"com.example.{'-'.join(words) or 'hello'}",
        "name": name,
        "description": "Answers everyone who says hello.",
        "version": "0.1.0",
        "server": {"entrypoint": "plugin.py"},
    }
    if directory.exists() and any(directory.iterdir()):
        raise BuildError(Problem(file=str(directory), what="is not empty", fix="name a folder to make"))
    problems = [
        Problem(what=problem.what, key="--id", fix=problem.fix)
        for problem in check_manifest(manifest, directory)
        if problem.key == "id"
    ]
    if problems:
        raise BuildError(problems)
    class_name = "".join(word.capitalize() for word in words)
    if not class_name.isidentifier():
        class_name = f"Plugin{class_name}"
    return {
        "plugin.json": json.dumps(manifest, indent=2) + "\n",
        "plugin.py": _PLUGIN.format(name=name, class_name=class_name),
        "pyproject.toml": _PYPROJECT.format(distribution="-".join(words) or "hello", sdk=__version__),
    }
