"""A plugin on asyncio that serves HTTP, without uvloop."""

import without_uvloop  # noqa: F401
from serving_async import ServingAsyncPlugin

if __name__ == "__main__":
    ServingAsyncPlugin.run()
