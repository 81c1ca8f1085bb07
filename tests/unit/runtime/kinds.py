"""The same plugin in every kind: written for `Plugin`, rewritten for `AsyncPlugin`, also with uvloop."""

from __future__ import annotations

import textwrap

KINDS = ("sync", "async", "uvloop")

_HEAD = "import asyncio, logging, os, sys, threading, time\nfrom mattermost_plugin import *\n"


def plugin_code(kind: str, body: str, *, before: str = "") -> str:
    """Return an entrypoint whose class has `body`; in the async kinds every `def` and API call is async."""
    body = textwrap.indent(textwrap.dedent(body), "    ") or "    pass"
    base = "Plugin"
    if kind != "sync":
        base = "AsyncPlugin"
        body = body.replace("    def ", "    async def ").replace("self.api.", "await self.api.")
        body = body.replace("time.sleep(", "await asyncio.sleep(").replace(
            "async def __init__", "def __init__"
        )
    head = _HEAD + textwrap.dedent(before)
    if kind == "async":
        head = "import sys\nsys.modules['uvloop'] = None\n" + head
    return f"{head}\nclass Tested({base}):\n{body}\n\nif __name__ == '__main__':\n    Tested.run()\n"
