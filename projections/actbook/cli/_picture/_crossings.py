"""Orders the items of each layer so that few wires cross."""

from __future__ import annotations

from bisect import bisect_right, insort

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
        joined = _joined(picture.gaps[number - 1 if down else number], down)
        place = {item: index for index, item in enumerate(fixed)}
        layer = picture.layers[number]
        scale = max(1, len(fixed) - 1) / max(1, len(layer) - 1)
        wanted = {
            item: _mean([place[other] for other in joined.get(item, ())], index * scale)
            for index, item in enumerate(layer)
        }
        layer.sort(key=wanted.__getitem__)


def _joined(wires: list[Wire], down: bool) -> dict[Item, list[Item]]:
    """What each item is joined with in the layer above (`down`) or below."""
    joined: dict[Item, list[Item]] = {}
    for wire in wires:
        mine, others = (wire.bottoms, wire.tops) if down else (wire.tops, wire.bottoms)
        for item in mine:
            joined.setdefault(item, []).extend(others)
    return joined


def _mean(values: list[int], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(picture: Layered) -> int:
    """Pairs of joined items whose order above is not that below."""
    total = 0
    for number, wires in enumerate(picture.gaps):
        upper = {item: index for index, item in enumerate(picture.layers[number])}
        lower = {item: index for index, item in enumerate(picture.layers[number + 1])}
        pairs = sorted(
            (upper[top], lower[bottom]) for wire in wires for top in wire.tops for bottom in wire.bottoms
        )
        seen: list[int] = []
        for _, end in pairs:
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total
