"""Gives every item its columns: near what it is joined with, in order, without overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from actbook.cli._picture._layers import GAP
from actbook.cli._picture._model import Item, Layered, Net, Wire

_ROUNDS = 16
_STRAIGHT = 30.0
"""How much more a passing net wants to be straight than joined items want to be close."""


def place(picture: Layered, *, tight: bool = False) -> int:
    """Sets `left` of all items and returns the width of the picture. `tight`: passing nets stand close together."""
    for layer in picture.layers:
        left = 0
        for item, step in zip(layer, _steps(layer, tight), strict=True):
            item.left = left
            left += step
    for round_number in range(_ROUNDS):
        _settle(picture, tight, down=round_number % 2 == 0)
    items = [item for layer in picture.layers for item in layer]
    first = min((item.left for item in items), default=0)
    for item in items:
        item.left -= first
    return max((item.left + item.width for item in items), default=0)


def _steps(layer: Sequence[Item], tight: bool) -> list[int]:
    """The least distance from each item to the next one."""
    following = [*layer[1:], None]
    return [
        item.width + (1 if tight and item.box is None and other is not None and other.box is None else GAP)
        for item, other in zip(layer, following, strict=True)
    ]


def _settle(picture: Layered, tight: bool, *, down: bool) -> None:
    lines = _lines(picture)
    numbers = range(len(picture.layers)) if down else range(len(picture.layers) - 1, -1, -1)
    for number in numbers:
        layer = picture.layers[number]
        near: dict[Item, list[tuple[Item, float]]] = {}
        for item, other, weight in _near(picture, number, down):
            near.setdefault(item, []).append((other, weight))
        wanted = [_wanted(item, near.get(item, ()), lines) for item in layer]
        lefts = spread(
            [middle - item.width // 2 for item, (middle, _) in zip(layer, wanted, strict=True)],
            [weight for _, weight in wanted],
            _steps(layer, tight),
        )
        for item, left in zip(layer, lefts, strict=True):
            item.left = left


def _near(picture: Layered, number: int, down: bool) -> list[tuple[Item, Item, float]]:
    """Pairs of an item of the layer and one it is joined with; on the way down those above count most."""
    pairs: list[tuple[Item, Item, float]] = []
    if number:
        weight = 1.0 if down else 0.2
        pairs.extend(_pairs(picture.gaps[number - 1], weight, below=True))
    if number < len(picture.gaps):
        weight = 0.2 if down else 1.0
        pairs.extend(_pairs(picture.gaps[number], weight, below=False))
    return pairs


def _pairs(wires: Sequence[Wire], weight: float, *, below: bool) -> Iterator[tuple[Item, Item, float]]:
    for wire in wires:
        for top in wire.tops:
            for bottom in wire.bottoms:
                yield (bottom, top, weight) if below else (top, bottom, weight)


def _lines(picture: Layered) -> dict[Net, float]:
    """Where each passing net is on average: all of it wants to be there, in one straight line."""
    columns: dict[Net, list[int]] = {}
    for layer in picture.layers:
        for item in layer:
            if item.passing is not None:
                columns.setdefault(item.passing, []).append(item.left)
    return {net: sum(lefts) / len(lefts) for net, lefts in columns.items()}


def _wanted(
    item: Item, near: Sequence[tuple[Item, float]], lines: Mapping[Net, float]
) -> tuple[float, float]:
    """The middle it wants, and how much. `near`: what it is joined with, and how much that counts."""
    pulls = [(float(other.middle), weight) for other, weight in near]
    if item.passing is not None:
        pulls.append((lines[item.passing], _STRAIGHT))
    total = sum(weight for _, weight in pulls)
    if not total:
        return float(item.middle), 0.1
    return sum(middle * weight for middle, weight in pulls) / total, total


def spread(wanted: Sequence[float], weights: Sequence[float], steps: Sequence[int]) -> list[int]:
    """Whole numbers as close to the wanted ones as the steps allow (least squares, pooling neighbours that collide).

    `steps[i]` is the least distance from the i-th to the next.
    """
    offsets = [0]
    for step in steps:
        offsets.append(offsets[-1] + step)
    pools: list[tuple[float, float, int]] = []
    for index, value in enumerate(wanted):
        pool = (value - offsets[index], weights[index], 1)
        while pools and pools[-1][0] > pool[0]:
            pool = _merge(pools.pop(), pool)
        pools.append(pool)
    flat = [round(value) for value, _, count in pools for _ in range(count)]
    return [value + offsets[index] for index, value in enumerate(flat)]


def _merge(a: tuple[float, float, int], b: tuple[float, float, int]) -> tuple[float, float, int]:
    weight = a[1] + b[1]
    return ((a[0] * a[1] + b[0] * b[1]) / weight, weight, a[2] + b[2])
