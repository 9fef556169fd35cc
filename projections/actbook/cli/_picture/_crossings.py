"""Orders the items of each layer so that few wires cross."""

from __future__ import annotations

from itertools import combinations

from actbook.cli._picture._model import Item, Layered, Wire

_SWEEPS = 12


def untangle(picture: Layered) -> None:
    """Moves items next to what they are joined with, layer by layer, down and up; keeps the best order seen."""
    best = [list(layer) for layer in picture.layers]
    fewest = _crossings(picture)
    for sweep in range(_SWEEPS):
        _sweep(picture, down=sweep % 2 == 0)
        count = _crossings(picture)
        if count < fewest:
            fewest, best = count, [list(layer) for layer in picture.layers]
    picture.layers[:] = best


def _sweep(picture: Layered, *, down: bool) -> None:
    numbers = range(1, len(picture.layers)) if down else range(len(picture.layers) - 2, -1, -1)
    for number in numbers:
        fixed = picture.layers[number - 1 if down else number + 1]
        wires = picture.gaps[number - 1 if down else number]
        place = {item: index for index, item in enumerate(fixed)}
        own = {item: float(index) for index, item in enumerate(picture.layers[number])}
        scale = max(1, len(fixed) - 1) / max(1, len(own) - 1)
        wanted = {
            item: _mean([place[other] for other in _joined(item, wires, down)], own[item] * scale)
            for item in own
        }
        picture.layers[number].sort(key=lambda item: wanted[item])


def _joined(item: Item, wires: list[Wire], down: bool) -> list[Item]:
    """What it is joined with in the layer above (`down`) or below."""
    if down:
        return [other for wire in wires if item in wire.bottoms for other in wire.tops]
    return [other for wire in wires if item in wire.tops for other in wire.bottoms]


def _mean(values: list[int], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(picture: Layered) -> int:
    total = 0
    for number, wires in enumerate(picture.gaps):
        upper = {item: index for index, item in enumerate(picture.layers[number])}
        lower = {item: index for index, item in enumerate(picture.layers[number + 1])}
        pairs = [
            [(upper[top], lower[bottom]) for top in wire.tops for bottom in wire.bottoms] for wire in wires
        ]
        for first, second in combinations(pairs, 2):
            total += sum((a - c) * (b - d) < 0 for a, b in first for c, d in second)
    return total
