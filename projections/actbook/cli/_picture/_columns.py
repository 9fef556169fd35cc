"""Gives every item its columns: near what it is joined with, in order, without overlap."""

from __future__ import annotations

from collections.abc import Sequence

from actbook.cli._picture._layers import GAP
from actbook.cli._picture._model import Item, Layered, Wire

_ROUNDS = 16
_STRAIGHT = (1.0, 4.0, 40.0)
"""How much two joined items want to be in line, by the number of places among them where a net only passes."""


def place(picture: Layered) -> int:
    """Sets `left` of all items and returns the width of the picture."""
    for layer in picture.layers:
        left = 0
        for item in layer:
            item.left = left
            left += item.width + GAP
    for round_number in range(_ROUNDS):
        _settle(picture, down=round_number % 2 == 0)
    items = [item for layer in picture.layers for item in layer]
    first = min((item.left for item in items), default=0)
    for item in items:
        item.left -= first
    return max((item.left + item.width for item in items), default=0)


def _settle(picture: Layered, *, down: bool) -> None:
    numbers = range(len(picture.layers)) if down else range(len(picture.layers) - 1, -1, -1)
    for number in numbers:
        layer = picture.layers[number]
        near = _near(picture, number, down)
        wanted = [_wanted(item, near) for item in layer]
        lefts = spread(
            [middle - item.width // 2 for item, (middle, _) in zip(layer, wanted, strict=True)],
            [weight for _, weight in wanted],
            [item.width + GAP for item in layer],
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


def _pairs(wires: Sequence[Wire], weight: float, *, below: bool) -> list[tuple[Item, Item, float]]:
    found: list[tuple[Item, Item, float]] = []
    for wire in wires:
        for top in wire.tops:
            for bottom in wire.bottoms:
                pair = (bottom, top) if below else (top, bottom)
                passing = (top.box is None) + (bottom.box is None)
                found.append((*pair, weight * _STRAIGHT[passing]))
    return found


def _wanted(item: Item, near: Sequence[tuple[Item, Item, float]]) -> tuple[float, float]:
    """The middle it wants, and how much."""
    mine = [(other.middle, weight) for each, other, weight in near if each is item]
    total = sum(weight for _, weight in mine)
    if not total:
        return float(item.middle), 0.1
    return sum(middle * weight for middle, weight in mine) / total, total


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
