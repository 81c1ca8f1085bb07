"""`python -m tests.harness`: build the Mattermost server, so that the tests find it in the cache."""

from __future__ import annotations

import sys

from tests.harness.build import BuildError, build_server

try:
    build_server()
except BuildError as error:
    sys.exit(str(error))
