"""Header blocks: what is remembered means what decoding it would mean."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode
from mattermost_plugin._grpc.header_blocks import HeaderBlockDecoder, HeaderList, encode_block

names = st.sampled_from([b":path", b"te", b"x-a", b"grpc-timeout", b"content-type", b"x-" + b"n" * 200])
values = st.one_of(st.sampled_from([b"", b"1S", b"trailers"]), st.binary(max_size=300))
lists = st.lists(st.tuples(names, values), max_size=8)


def decoder(size: int = 4096) -> HeaderBlockDecoder[HeaderList]:
    blocks: HeaderBlockDecoder[HeaderList] = HeaderBlockDecoder(list, 64 << 10)
    blocks.limit_table(size)
    return blocks


def split(fields: HeaderList) -> tuple[HeaderList, bytes | None]:
    timeouts = [value for name, value in fields if name == b"grpc-timeout"]
    rest = [field for field in fields if field[0] != b"grpc-timeout"]
    return rest, timeouts[-1] if timeouts else None


@given(lists)
@settings(deadline=None)
def test_what_is_encoded_is_what_the_library_decodes(fields: HeaderList) -> None:
    assert [tuple(field) for field in Decoder().decode(encode_block(fields), raw=True)] == list(fields)


@given(st.lists(st.tuples(lists, st.sampled_from(["plain", "huffman", "indexed"])), max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_sequence_of_blocks_decodes_as_with_the_library(blocks: list[tuple[HeaderList, str]]) -> None:
    ours, theirs, encoder = decoder(), Decoder(), Encoder()
    for fields, how in [*blocks, *blocks]:
        if how == "plain":
            block = encode_block(fields)
        else:
            block = encoder.encode([(n, v, how == "huffman") for n, v in fields], huffman=how == "huffman")
        wanted = [tuple(field) for field in theirs.decode(block, raw=True)]
        assert ours.decode(block) == split(wanted)


@given(lists, lists, st.integers(0, 99_999_999), st.integers(0, 99_999_999), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_block_that_differs_only_in_its_timeout_is_not_interpreted_again(
    before: HeaderList, after: HeaderList, first: int, second: int, huffman: bool
) -> None:
    before, after = split(before)[0], split(after)[0]
    count = 0

    def interpret(fields: HeaderList) -> HeaderList:
        nonlocal count
        count += 1
        return list(fields)

    blocks: HeaderBlockDecoder[HeaderList] = HeaderBlockDecoder(interpret, 64 << 10)
    for number in (first, second):
        timeout = b"%du" % number
        fields = [*before, (b"grpc-timeout", timeout), *after]
        block = Encoder().encode([(n, v, True) for n, v in fields], huffman=huffman)
        # "Never indexed" is what the library writes; this endpoint and grpc-go write "without indexing".
        plain = encode_block(fields) if not huffman else block
        assert blocks.decode(plain) == ([*before, *after], timeout)
    if not huffman and b"\0\x0cgrpc-timeout" not in encode_block([*before, *after]):
        size = len(encode_block([*before, *after]))
        assert count == (1 if size <= blocks.MAX_REMEMBERED_SIZE else 2)


def test_a_value_that_looks_like_a_timeout_field_is_not_taken_for_one() -> None:
    blocks = decoder()
    known = [(b"x-a", b"a" * 30), (b"x-b", b"b")]
    blocks.decode(encode_block([known[0], (b"grpc-timeout", b"1S"), known[1]]))
    disguised = [(b"x-a", b"a" * 15 + b"\0\x0cgrpc-timeout\x021S" + b"a" * 15), (b"x-b", b"b")]
    assert blocks.decode(encode_block(disguised)) == (disguised, None)


def test_the_same_octets_mean_something_else_after_the_table_changed() -> None:
    blocks = decoder()
    encoder = Encoder()
    blocks.decode(encoder.encode([(b"x-a", b"first")]))
    indexed = bytes([0x80 | 62])
    assert blocks.decode(indexed)[0] == [(b"x-a", b"first")]
    assert blocks.decode(indexed)[0] == [(b"x-a", b"first")]
    blocks.decode(encoder.encode([(b"x-b", b"second")]))
    assert blocks.decode(indexed)[0] == [(b"x-b", b"second")]


def test_an_acknowledged_table_of_size_0_is_in_force() -> None:
    blocks = decoder(0)
    with pytest.raises(ConnectionFault) as raised:
        blocks.decode(b"\x3f\xe1\x1f\x82")
    assert raised.value.code is ErrorCode.COMPRESSION_ERROR


def test_memory_is_bounded() -> None:
    blocks = decoder()
    for number in range(2000):
        blocks.decode(encode_block([(b"x-n", b"%d" % number)]))
        blocks.decode(encode_block([(b"x-n", b"%d" % number), (b"grpc-timeout", b"1S")]))
    assert len(blocks.remembered) <= blocks.MAX_REMEMBERED
