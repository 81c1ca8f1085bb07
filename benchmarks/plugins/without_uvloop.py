"""To be imported first by plugins that are to run on the standard library's event loop."""

import sys

sys.modules["uvloop"] = None  # type: ignore[assignment]  # how Python spells "not to be imported"
