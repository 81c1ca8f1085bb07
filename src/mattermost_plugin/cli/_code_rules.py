"""Finding in the author's code what would keep the plugin from starting."""

import ast
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["check_code"]

_DEFINES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGNS = (ast.Assign, ast.AnnAssign, ast.AugAssign)


def check_code(
    files: Mapping[PurePosixPath, Path],
    entrypoint: PurePosixPath,
    directory: Path,
    python: str,
    report: Callable[[str], None],
) -> None:
    """Parse every Python file of the author, and look for what starts the plugin in the entrypoint.

    Args:
        files: the files, by their places in the bundle.
        entrypoint: the entrypoint's place in the bundle.
        directory: the plugin's folder, to name files as their author does.
        python: the release of Python that runs the plugin, such as `3.11`.
        report: is told where the code may be for a later Python than the one that parses it here.

    Raises:
        BuildError: a file has an error of syntax, or the entrypoint defines things and starts nothing.
        OSError: a file cannot be read.
    """
    later = tuple(map(int, python.split("."))) > sys.version_info[:2]
    problems = []
    for place, path in files.items():
        if place.suffix != ".py":
            continue
        name = path.relative_to(directory).as_posix()
        found = list(_problems(path, name, is_entrypoint=place == entrypoint))
        if later:
            for problem in found:
                report(f"{problem} (unless Python {python} takes it, which is not the one that builds)")
        else:
            problems += found
    if problems:
        raise BuildError(problems)


def _problems(path: Path, name: str, *, is_entrypoint: bool) -> Iterator[Problem]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its escapes; Python says so when the author runs it
            tree = ast.parse(path.read_bytes(), name)
    except SyntaxError as error:
        where = f"{name}:{error.lineno}" if error.lineno else name
        yield Problem(file=where, what=f"is not Python: {error.msg}", fix="mend it, or name it in `exclude`")
    except (ValueError, RecursionError, MemoryError) as error:
        yield Problem(file=name, what=f"is not Python: {error}", fix="mend it, or name it in `exclude`")
    else:
        if is_entrypoint and _starts_nothing(tree):
            yield Problem(
                file=name,
                what="defines things and starts nothing, so the plugin would end at once",
                fix='end it with `if __name__ == "__main__": <your class>.run()`',
            )


def _starts_nothing(tree: ast.Module) -> bool:
    """Whether a module only defines: no statement of it could start the plugin."""
    if not any(isinstance(statement, ast.ClassDef) for statement in tree.body):
        return False  # what it imports may start it
    return all(
        isinstance(statement, _DEFINES)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        or (isinstance(statement, _ASSIGNS) and not _runs(statement))
        for statement in tree.body
    )


def _runs(statement: ast.AST) -> bool:
    """Whether a statement calls a method `run` or `main`, whatever it makes of the result."""
    return any(
        isinstance(node, ast.Call)
        and (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) in {"run", "main"}
        for node in ast.walk(statement)
    )
