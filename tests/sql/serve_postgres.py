"""Serves a PostgreSQL to programs that are not Python: `python -m tests.sql.serve_postgres`.

It prints the address of an empty database, and runs until its standard input ends.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.harness.guardian import Guardian
from tests.harness.postgres import Postgres


def main() -> None:
    with Guardian() as guardian:
        directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        guardian.watch_directory(directory)
        postgres = Postgres(directory / "postgres", guardian)
        try:
            sys.stdout.write(f"{postgres.create_database('mattermost')}\n")
            sys.stdout.flush()
            sys.stdin.read()
        finally:
            postgres.close()
            shutil.rmtree(directory)


if __name__ == "__main__":
    main()
