"""The plugin on asyncio, without uvloop."""

import without_uvloop  # noqa: F401
from measured_async import MeasuredAsyncPlugin

if __name__ == "__main__":
    MeasuredAsyncPlugin.run()
