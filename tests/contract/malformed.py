"""Bytes that are nearly a message, and messages of arbitrary fields."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from mattermost_plugin._codec.wire import chunk, varint

if TYPE_CHECKING:
    from collections.abc import Iterator


def mutations(raw: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Yield messages that are nearly the given one."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(raw)
        for _ in range(chance.choice([1, 1, 2, 4])):
            at, to = sorted(chance.randint(0, len(data)) for _ in range(2))
            match chance.randint(0, 6):
                case 0:
                    data[at:to] = b""
                case 1:
                    data[at:at] = data[at:to]
                case 2:
                    data[at:at] = chance.randbytes(chance.randint(1, 4))
                case 3:
                    data[at:at] = varint(chance.choice([1, 2**7, 2**31, 2**32, 2**63, 2**64 - 1]))
                case 4 if data:
                    data[at % len(data)] ^= 1 << chance.randint(0, 7)
                case 5 if data:
                    data[at % len(data)] = chance.choice([0, 1, 2, 8, 10, 18, 127, 128, 255])
                case _:
                    del data[to:]
        yield bytes(data)


FIELD = st.one_of(
    st.builds(
        lambda number, value: varint(number << 3) + varint(value), st.integers(0, 30), st.integers(0, 2**70)
    ),
    st.builds(
        lambda number, value: chunk(varint(number << 3 | 2), value), st.integers(0, 30), st.binary(max_size=9)
    ),
    st.builds(lambda number, wire: varint(number << 3 | wire), st.integers(0, 30), st.integers(0, 7)),
    st.binary(max_size=4),
)
MESSAGE = st.recursive(
    st.lists(FIELD, max_size=6).map(b"".join),
    lambda inner: st.lists(
        st.builds(lambda number, value: chunk(varint(number << 3 | 2), value), st.integers(1, 26), inner),
        max_size=6,
    ).map(b"".join),
    max_leaves=8,
)
