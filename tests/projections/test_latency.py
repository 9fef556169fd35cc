"""Histograms with buckets that grow: quantiles within the promised error, and merging is adding."""

from __future__ import annotations

from collections import Counter
from math import ceil

from hypothesis import example, given
from hypothesis import strategies as st

from actbook.projections._latency import RELATIVE_ERROR, bucket_of, middle_of, quantile

MICROS = st.integers(0, 2**50) | st.integers(0, 200)
VALUES = st.lists(MICROS, min_size=1, max_size=200)
PARTS = st.floats(0.01, 1.0)


def histogram(values: list[int]) -> list[tuple[int, int]]:
    return sorted(Counter(bucket_of(value) for value in values).items())


@given(MICROS)
def test_a_bucket_is_its_least_value_and_near_to_all_of_them(value: int) -> None:
    bucket = bucket_of(value)
    assert bucket <= value
    assert bucket_of(bucket) == bucket
    assert abs(middle_of(bucket) - value) <= value * RELATIVE_ERROR


@given(MICROS, MICROS)
def test_buckets_keep_the_order(one: int, other: int) -> None:
    assert (bucket_of(one) <= bucket_of(other)) or one > other


@given(st.integers(5, 49))
def test_each_doubling_has_the_same_number_of_buckets(power: int) -> None:
    low = 1 << power
    sample = {bucket_of(low + low * part // 1000) for part in range(1000)}
    assert len(sample) == 16


@given(VALUES, PARTS)
@example([0], 0.5)
@example([7, 7, 7], 0.99)
def test_a_quantile_is_near_to_the_value_at_its_rank(values: list[int], part: float) -> None:
    exact = sorted(values)[ceil(part * len(values)) - 1]
    assert abs(quantile(histogram(values), part) - exact) <= exact * RELATIVE_ERROR


@given(VALUES, VALUES, PARTS)
def test_merging_is_adding_the_counts(one: list[int], other: list[int], part: float) -> None:
    merged = Counter(dict(histogram(one))) + Counter(dict(histogram(other)))
    assert quantile(sorted(merged.items()), part) == quantile(histogram(one + other), part)


def test_of_nothing_every_quantile_is_nothing() -> None:
    assert quantile([], 0.5) == 0.0
