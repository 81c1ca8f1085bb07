"""Every type of the contract goes from Go to Python and back, and the other way round, unchanged."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mattermost_plugin._model import Model, field_names
from tests.codegen.repository import schema
from tests.contract.codecs import python_types, struct_types
from tests.contract.peer import GoPeer
from tests.contract.values import PythonFiller, differences, is_default

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = (1, 2, 3)
NAMES = sorted(python_types())


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoPeer]:
    with GoPeer(GoPeer.build(tmp_path_factory.mktemp("peer"))) as running:
        yield running


def test_both_languages_have_the_same_types(peer: GoPeer) -> None:
    assert sorted(peer.ask("types")["names"]) == NAMES
    assert {message.name for message in struct_types(schema())} | {"Value", "Error"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sparse", [False, True], ids=["full", "sparse"])
def test_go_to_python_to_go(peer: GoPeer, name: str, *, sparse: bool) -> None:
    codec = python_types()[name]
    for seed in SEEDS:
        value = codec.decode(peer.make(name, seed, sparse=sparse))
        assert peer.differences(name, seed, codec.encode(value), sparse=sparse) == []


@pytest.mark.parametrize("name", NAMES)
def test_python_to_go_to_python(peer: GoPeer, name: str) -> None:
    codec = python_types()[name]
    for seed in SEEDS:
        value = PythonFiller(seed).value(name)
        returned = codec.decode(peer.echo(name, codec.encode(value)))
        assert differences(value, returned) == []


def test_every_type_that_any_may_hold_goes_from_go_to_python_to_go(peer: GoPeer) -> None:
    codec = python_types()["Value"]
    kinds = peer.ask("anykinds")["names"]
    assert len(kinds) == len(set(kinds)) == 46
    for kind, kind_name in enumerate(kinds):
        for sparse in (False, True):
            for seed in SEEDS:
                wanted = {"kind": kind, "seed": seed, "sparse": sparse}
                value = codec.decode(peer.data("makeany", **wanted))
                reply = peer.ask("verifyany", data=codec.encode(value), **wanted)
                assert reply.get("differences", []) == [], (kind_name, seed, sparse)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_in_python_is_set_and_compared(name: str) -> None:
    value = PythonFiller(1).value(name)
    for attribute in _attributes(value):
        assert not is_default(getattr(value, attribute)), f"{name}.{attribute} is not set"
        changed = copy.copy(value)
        setattr(changed, attribute, None)
        found = differences(value, changed)
        assert [text.partition(":")[0] for text in found] == [f".{attribute}"]


def _attributes(value: Any) -> tuple[str, ...]:
    if isinstance(value, Model):
        return field_names(value)
    # Mattermost does not send the parameters of an AppError.
    return tuple(set(vars(value)) - {"params"}) if isinstance(value, BaseException) else ()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_plain_python_values_come_back_from_go_as_they_went(peer: GoPeer, value: Any) -> None:
    codec = python_types()["Value"]
    assert differences(value, codec.decode(peer.echo("Value", codec.encode(value)))) == []


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1])
def test_integers_that_a_double_cannot_hold_come_back_exactly(peer: GoPeer, number: int) -> None:
    codec = python_types()["Value"]
    returned = codec.decode(peer.echo("Value", codec.encode({"a": [number]})))
    assert returned == {"a": [number]}


def test_values_nested_deeply_come_back(peer: GoPeer) -> None:
    codec = python_types()["Value"]
    value: Any = "innermost"
    for _ in range(40):
        value = {"list": [value]}
    assert codec.decode(peer.echo("Value", codec.encode(value))) == value
