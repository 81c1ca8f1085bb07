"""The asyncio plugin on the standard library's event loop."""

import sys

sys.modules["uvloop"] = None  # type: ignore[assignment]  # how Python spells "not to be imported"

from async_plugin import MeasuredAsyncPlugin  # noqa: E402  (uvloop has to be refused before)

if __name__ == "__main__":
    MeasuredAsyncPlugin.run()
