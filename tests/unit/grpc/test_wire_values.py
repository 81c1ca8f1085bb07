"""Status messages, metadata, timeouts, messages, frames: what is written is what is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._grpc import Options, RpcError, StatusCode
from mattermost_plugin._grpc.compression import compress, decompress
from mattermost_plugin._grpc.frames import header_frames
from mattermost_plugin._grpc.header_blocks import HeaderBlockDecoder, HeaderList
from mattermost_plugin._grpc.messages import MessageReader, prefix
from mattermost_plugin._grpc.metadata import decode_metadata, encode_metadata
from mattermost_plugin._grpc.status import code_from_wire, decode_message, encode_message
from mattermost_plugin._grpc.timeouts import decode_timeout, encode_timeout


@given(st.text())
def test_a_status_message_comes_back_as_it_went(text: str) -> None:
    encoded = encode_message(text)
    assert all(0x20 <= octet <= 0x7E for octet in encoded)
    assert decode_message(encoded) == text.encode("utf-8", "replace").decode()


@given(st.binary())
def test_any_status_message_can_be_read(value: bytes) -> None:
    assert isinstance(decode_message(value), str)


@pytest.mark.parametrize("code", StatusCode)
def test_every_code_is_known(code: StatusCode) -> None:
    assert code_from_wire(str(int(code)).encode()) is code


@given(st.floats(1e-6, 1e10))
def test_a_timeout_is_never_shortened_and_hardly_lengthened(seconds: float) -> None:
    value = encode_timeout(seconds)
    assert len(value) <= 9
    decoded = decode_timeout(value)
    assert decoded is not None
    assert decoded >= min(seconds, 99_999_999 * 3600) * (1 - 1e-9)
    assert decoded <= seconds * 1.01 + 1e-6 or decoded - seconds <= 3600


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_deadline_in_the_past_is_a_timeout_of_nothing(seconds: float) -> None:
    assert decode_timeout(encode_timeout(seconds)) == 0


@pytest.mark.parametrize("value", [b"", b"S", b"1", b"1s", b"-1S", b"1.5S", b"123456789S", b"1 S"])
def test_malformed_timeouts_are_noticed(value: bytes) -> None:
    assert decode_timeout(value) is None


keys = st.from_regex(r"x-[0-9a-z_.\-]{0,10}", fullmatch=True).filter(lambda key: not key.endswith("-bin"))
items = st.one_of(
    st.tuples(keys, st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))),
    st.tuples(keys.map(lambda key: key + "-bin"), st.binary()),
)


@given(st.lists(items, max_size=6))
def test_metadata_comes_back_as_it_went(metadata: list[tuple[str, str | bytes]]) -> None:
    blocks: HeaderBlockDecoder[HeaderList] = HeaderBlockDecoder(list, 64 << 10)
    fields, _ = blocks.decode(encode_metadata(metadata))
    assert decode_metadata(fields) == tuple(metadata)


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (("Upper", "x"), ValueError),
        (("", "x"), ValueError),
        ((":path", "x"), ValueError),
        (("grpc-status", "0"), ValueError),
        (("te", "x"), ValueError),
        (("connection", "x"), ValueError),
        (("x", "ü"), ValueError),
        (("x", "a\nb"), ValueError),
        (("x", b"octets"), TypeError),
        (("x-bin", "text"), TypeError),
    ],
)
def test_metadata_that_grpc_does_not_allow_is_refused(
    item: tuple[str, str | bytes], error: type[Exception]
) -> None:
    with pytest.raises(error):
        encode_metadata([item])


def test_reserved_and_broken_metadata_is_left_out() -> None:
    fields = [
        (b":path", b"/"),
        (b"te", b"trailers"),
        (b"grpc-x", b"1"),
        (b"a-bin", b"!"),
        (b"user-agent", b"me"),
    ]
    assert decode_metadata(fields) == (("user-agent", "me"),)


@given(st.lists(st.binary(max_size=50), max_size=5), st.lists(st.integers(1, 20), min_size=1), st.booleans())
def test_messages_are_read_however_they_are_cut(
    payloads: list[bytes], cuts: list[int], compressed: bool
) -> None:
    sent = [compress(payload) for payload in payloads] if compressed else payloads
    octets = b"".join(prefix(payload, compressed=compressed) + payload for payload in sent)
    reader = MessageReader(1000, b"gzip" if compressed else b"identity")
    found: list[bytes] = []
    number = 0
    while octets:
        size = cuts[number % len(cuts)]
        found += reader.feed(octets[:size])
        octets = octets[size:]
        number += 1
    assert found == payloads
    assert not reader.incomplete


@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_decompression_stops_at_the_limit(payload: bytes, limit: int) -> None:
    if len(payload) <= limit:
        assert decompress(compress(payload), limit) == payload
    else:
        with pytest.raises(RpcError) as raised:
            decompress(compress(payload), limit)
        assert raised.value.code is StatusCode.RESOURCE_EXHAUSTED


@given(st.integers(0, 70_000), st.booleans())
def test_large_header_blocks_continue(size: int, end_stream: bool) -> None:
    block = bytes(size)
    parts = list(header_frames(1, block, 16_384, end_stream=end_stream))
    assert b"".join(parts[1::2]) == block
    kinds = [head[3] for head in parts[::2]]
    flags = [head[4] for head in parts[::2]]
    assert kinds == [1] + [9] * (len(kinds) - 1)
    assert [flag & 4 for flag in flags] == [0] * (len(flags) - 1) + [4]
    assert [flag & 1 for flag in flags] == [end_stream] + [0] * (len(flags) - 1)


@pytest.mark.parametrize(
    "options",
    [{"max_frame_size": 16_383}, {"max_frame_size": 1 << 24}, {"stream_window": 0}, {"compression": "br"}],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Options(**options)  # type: ignore[arg-type]
