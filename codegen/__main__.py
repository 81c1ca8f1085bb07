"""``python -m codegen``: regenerate everything; with ``--check``, fail if that would change anything."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.emitters import EMITTERS
from codegen.generate import MODEL, differences, extract, generate, write
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codegen.emitters import Emitter


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if anything differs")
    parser.add_argument(
        "--skip-extract", action="store_true", help="take schema/model.json as it is instead of running Go"
    )
    parser.add_argument("--only", action="append", metavar="EMITTER", help="run this emitter (repeatable)")
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    root: Path = options.root.resolve()
    known = {emitter.name for emitter in EMITTERS}
    if options.only and (unknown := sorted(set(options.only) - known)):
        parser.error(f"no emitter {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    emitters = [item for item in EMITTERS if not options.only or item.name in options.only]
    try:
        return _run(root, emitters, check=options.check, skip_extract=options.skip_extract)
    except CodegenError as error:
        sys.stderr.write(f"codegen: {error}\n")
        return 1


def _run(root: Path, emitters: Sequence[Emitter], *, check: bool, skip_extract: bool) -> int:
    model_text = (root / MODEL).read_text(encoding="utf-8") if skip_extract else extract(root)
    files = generate(root, emitters, model_text=model_text)
    if check:
        found = differences(root, files, emitters)
        for difference in found:
            sys.stderr.write(f"{difference.kind}: {difference.path}\n")
        if found:
            sys.stderr.write("Generated files are not up to date; run python -m codegen and commit.\n")
        return 1 if found else 0
    for difference in write(root, files, emitters):
        sys.stdout.write(f"{'removed' if difference.kind == 'stale' else 'written'}: {difference.path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
