"""Leads the wires of one gap: where they touch the items, and in which row each turns."""

from __future__ import annotations

from collections.abc import Callable

from actbook.cli._picture._columns import spread
from actbook.cli._picture._model import Item, Wire


def route(wires: list[Wire]) -> list[list[Wire]]:
    """Sets the columns of all wires; returns the rows, each with the wires that turn in it."""
    _touch(wires, top=True)
    _touch(wires, top=False)
    _give_way(wires)
    return _rows([wire for wire in wires if not wire.is_straight], _must_be_above(wires))


def _touch(wires: list[Wire], *, top: bool) -> None:
    """Columns on one side of the gap: straight below or above the other end where the item is wide enough."""
    touching: dict[Item, list[Wire]] = {}
    for wire in wires:
        for item in wire.tops if top else wire.bottoms:
            touching.setdefault(item, []).append(wire)
    columns: dict[tuple[Item, int], int] = {}
    for item, group in touching.items():
        wanted = {id(wire): _aim(wire, item, top) for wire in group}
        group.sort(key=lambda wire: wanted[id(wire)])
        first, last = item.inside
        step = 2 if 2 * (len(group) - 1) <= last - first else 1
        clamped = [min(max(wanted[id(wire)], first), last) for wire in group]
        places = spread(clamped, [1.0] * len(group), [step] * len(group))
        for wire, column in zip(group, _within(places, step, first, last), strict=True):
            columns[item, id(wire)] = column
    for wire in wires:
        if top:
            wire.top_columns = [columns[item, id(wire)] for item in wire.tops]
        else:
            wire.bottom_columns = [columns[item, id(wire)] for item in wire.bottoms]


def _within(places: list[int], step: int, first: int, last: int) -> list[int]:
    """Pushed into the bounds, a step apart as far as there is room."""
    count = len(places)
    pushed = [max(place, first + step * index) for index, place in enumerate(places)]
    pulled = [min(place, last - step * (count - 1 - index)) for index, place in enumerate(pushed)]
    return [max(place, first) for place in pulled]


def _aim(wire: Wire, item: Item, top: bool) -> int:
    """The column the wire would like at this item."""
    if top:
        if len(wire.bottoms) == 1 and len(wire.tops) == 1:
            return _nearest(item, wire.bottoms[0])
        return item.middle
    straight = [column for column in wire.top_columns if item.inside[0] <= column <= item.inside[1]]
    if straight:
        return straight[0]
    return sum(wire.top_columns) // len(wire.top_columns)


def _nearest(item: Item, other: Item) -> int:
    """A column that both share, close to the middle of both; else the one of `item` nearest to the other's middle."""
    first = max(item.inside[0], other.inside[0])
    last = min(item.inside[1], other.inside[1])
    if first <= last:
        return min(max((item.middle + other.middle) // 2, first), last)
    return min(max(other.middle, item.inside[0]), item.inside[1])


def _give_way(wires: list[Wire]) -> None:
    """A wire that ends below another one's beginning, in the same column, moves aside if its box is wide enough."""
    begins = {column: wire for wire in wires for column in wire.top_columns}
    for wire in wires:
        for index, item in enumerate(wire.bottoms):
            column = wire.bottom_columns[index]
            if begins.get(column, wire) is wire:
                continue
            taken = _columns_at(item, wires) | set(begins)
            first, last = item.inside
            free = [each for each in range(first, last + 1) if each not in taken]
            if free:
                wire.bottom_columns[index] = min(free, key=lambda each: abs(each - column))


def _columns_at(item: Item, wires: list[Wire]) -> set[int]:
    return {
        wire.bottom_columns[index]
        for wire in wires
        for index, each in enumerate(wire.bottoms)
        if each is item
    }


def _must_be_above(wires: list[Wire]) -> Callable[[Wire], list[Wire]]:
    """Wires that turn above the given one, or both would lie on top of each other in a column."""
    begins = {column: wire for wire in wires for column in wire.top_columns}

    def above(wire: Wire) -> list[Wire]:
        found = [begins[column] for column in wire.bottom_columns if column in begins]
        return [each for each in found if each is not wire]

    return above


def _rows(wires: list[Wire], above: Callable[[Wire], list[Wire]]) -> list[list[Wire]]:
    rows: list[list[Wire]] = []
    placed: dict[int, int] = {}
    rest = sorted(wires, key=lambda wire: (min(wire.columns), max(wire.columns)))
    while rest:
        ready = [w for w in rest if all(id(each) in placed or each.is_straight for each in above(w))]
        wire = (ready or rest)[0]
        rest.remove(wire)
        least = max((placed[id(each)] + 1 for each in above(wire) if id(each) in placed), default=0)
        placed[id(wire)] = _put(rows, wire, least)
    return rows


def _put(rows: list[list[Wire]], wire: Wire, least: int) -> int:
    first, last = min(wire.columns), max(wire.columns)
    for number in range(least, len(rows)):
        if all(max(other.columns) + 1 < first or min(other.columns) - 1 > last for other in rows[number]):
            rows[number].append(wire)
            return number
    rows.append([wire])
    return len(rows) - 1
