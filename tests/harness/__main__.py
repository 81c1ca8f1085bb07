"""`python -m tests.harness`: make what the tests find in the cache: the Mattermost server and a browser."""

from __future__ import annotations

import sys

from tests.harness.browser import BrowserError, find_browser
from tests.harness.build import BuildError, build_server

try:
    build_server()
except BuildError as error:
    sys.exit(str(error))
try:
    find_browser()
except BrowserError as error:
    # The tests that need it fail with the same words; all others can do without.
    sys.stderr.write(f"{error}\n")
