"""Request headers: whatever the order of calls and settings, the server reads what was meant."""

from __future__ import annotations

from hpack import Decoder
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._grpc.header_encoder import HeaderEncoder, RequestTemplate

names = st.sampled_from([b":method", b":path", b"te", b"x-a", b"x-" + b"n" * 300])
fields = st.lists(st.tuples(names, st.sampled_from([b"POST", b"/a", b"", b"v" * 500])), max_size=6)


@given(
    st.lists(fields, min_size=1, max_size=8),
    st.lists(st.one_of(st.integers(0, 7), st.tuples(st.integers(0, 6000))), max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_any_order_of_requests_and_table_sizes_decodes(
    contents: list[list[tuple[bytes, bytes]]], steps: list[int | tuple[int]]
) -> None:
    encoder, decoder = HeaderEncoder(), Decoder()
    templates = [RequestTemplate(tuple(content)) for content in contents]
    for step in steps:
        if isinstance(step, tuple):
            encoder.limit_table(step[0])
            decoder.max_allowed_table_size = step[0]
            # The decoder checks that the next block says so if the table must shrink; a larger one is
            # optional.
            continue
        template = templates[step % len(templates)]
        decoded = decoder.decode(encoder.encode(template), raw=True)
        assert [tuple(field) for field in decoded] == list(template.fields)


def test_the_second_call_of_a_method_is_a_few_constant_octets() -> None:
    encoder = HeaderEncoder()
    template = RequestTemplate(
        ((b":method", b"POST"), (b":path", b"/some.Service/Method"), (b"te", b"trailers"))
    )
    assert len(encoder.encode(template)) > 30
    second = encoder.encode(template)
    assert len(second) == 3
    assert encoder.encode(template) is second


def test_a_full_table_leaves_what_is_new_as_literals() -> None:
    encoder, decoder = HeaderEncoder(), Decoder()
    for number in range(300):
        template = RequestTemplate(((b":path", b"/some.Service/Method%d" % number),))
        for _ in range(2):
            assert decoder.decode(encoder.encode(template), raw=True) == list(template.fields)
    assert decoder.header_table._current_size <= 4096
    assert len(encoder.encode(RequestTemplate(((b":path", b"/some.Service/Method0"),)))) <= 2


def test_recurring_deadlines_are_part_of_the_block_and_endless_ones_are_not_remembered() -> None:
    template = RequestTemplate(((b":method", b"POST"),))
    assert template.with_timeout(60.0) is template.with_timeout(60.0)
    timed = [template.with_timeout(number + 0.5) for number in range(100)]
    assert timed[-1] is None
