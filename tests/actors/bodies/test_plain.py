from __future__ import annotations

import dataclasses
import datetime
import enum
import math
from collections import OrderedDict, UserDict, defaultdict, deque
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.actors._bodies import UnrecordableError, plain
from actbook.actors._bodies._plain import own_copy, size_of

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner), max_leaves=20
)


@given(VALUES)
def test_json_like_values_stay_what_they_are_and_share_nothing(value: Any) -> None:
    copied, size = plain(value)
    assert copied == value
    assert type(copied) is type(value)
    assert size > 0
    if isinstance(value, list | dict):
        assert copied is not value


@given(VALUES)
def test_a_plain_value_is_what_a_reader_of_the_record_gets(value: Any) -> None:
    copied, size = plain({"nested": value})
    recorded = msgspec.msgpack.encode(copied)
    assert msgspec.msgpack.decode(recorded) == copied
    assert size == len(recorded)


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


class Number(float):
    pass


class Point(msgspec.Struct):
    x: int


@dataclasses.dataclass
class Pixel:
    at: Point


class Pair(NamedTuple):
    left: int
    right: int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (frozenset({7}), [7]),
        (Pair(1, 2), [1, 2]),
        (deque([1]), [1]),
        (range(3), [0, 1, 2]),
        (Colour.RED, "red"),
        (b"\x00\xff", "AP8="),
        (datetime.datetime(2024, 5, 6, 7, tzinfo=datetime.UTC), "2024-05-06T07:00:00Z"),
        (Pixel(Point(3)), {"at": {"x": 3}}),
        ({1: "a", 2.5: "b"}, {"1": "a", "2.5": "b"}),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (UserDict(a=(1,)), {"a": [1]}),
        (Text("héllo"), "héllo"),
        ([Number(0.5), Text("x")], [0.5, "x"]),
    ],
)
def test_richer_values_become_plain(value: Any, expected: Any) -> None:
    copied, _ = plain(value)
    assert copied == expected
    assert type(copied) is type(expected)


def test_a_float_that_is_not_a_number_is_kept() -> None:
    assert math.isnan(plain(math.nan)[0])


def looped() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "value",
    [object(), 2**64, -(2**63) - 1, [2**70], "\ud800", ["\ud800"], {(1, 2): 3}, looped(), iter([1]), 1 + 2j],
)
def test_what_cannot_be_recorded_is_refused_with_a_reason(value: Any) -> None:
    with pytest.raises(UnrecordableError, match=r"\w+"):
        plain(value)


def test_input_is_copied_deeply_and_keeps_what_is_not_json() -> None:
    when = datetime.datetime(2024, 5, 6, tzinfo=datetime.UTC)
    data = {"a": [{"b": 1}], "when": when, "raw": b"x", "c": "text"}
    copied = own_copy(data)
    copied["a"][0]["b"] = 2
    assert data["a"] == [{"b": 1}]
    assert copied["when"] == when
    assert copied["raw"] == b"x"


def test_the_size_of_data_that_is_not_plain_is_nought() -> None:
    assert size_of({"a": 1}) == 4
    assert size_of({"a": object()}) == 0
