"""Puts nodes into layers and threads the nets through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actbook.cli._picture._model import BoxText, Item, Layered, Net, Wire
from actbook.cli._picture._order import Edge

GAP = 2
"""Columns between two boxes."""


def layered(
    order: Sequence[str],
    forward: Sequence[Edge],
    back: Sequence[Edge],
    boxes: Mapping[str, BoxText],
    widths: Mapping[str, int],
    room: int,
) -> Layered:
    """`order` is along the flow. No layer's boxes need more than `room` columns, unless a single one does."""
    level = _levels(order, [*forward, *((sink, source) for source, sink in back)], widths, room)
    layers: list[list[Item]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    items: dict[str, Item] = {}
    for name in order:
        items[name] = Item(widths[name], level[name], boxes[name])
        layers[level[name]].append(items[name])
    result = Layered(layers, [[] for _ in layers[1:]])
    for source in order:
        _thread_down(result, items, source, [sink for each, sink in forward if each == source])
        _thread_up(result, items, source, [sink for each, sink in back if each == source])
    return result


def _levels(
    order: Sequence[str], edges: Sequence[Edge], widths: Mapping[str, int], room: int
) -> dict[str, int]:
    above: dict[str, list[str]] = {name: [] for name in order}
    below: dict[str, list[str]] = {name: [] for name in order}
    for upper, lower in edges:
        above[lower].append(upper)
        below[upper].append(lower)
    earliest: dict[str, int] = {}
    for name in order:
        earliest[name] = max((earliest[each] + 1 for each in above[name]), default=0)
    last = max(earliest.values(), default=0)
    # What nothing leads to stands close to where it is used; what is joined with nothing, at the end.
    for name in order:
        if not above[name]:
            earliest[name] = min((earliest[each] for each in below[name]), default=last + 1) - 1
    used: dict[int, int] = {}
    level: dict[str, int] = {}
    for name in sorted(order, key=lambda name: not above[name] and not below[name]):
        place = max([earliest[name], *(level[each] + 1 for each in above[name])])
        while used.get(place) and used[place] + GAP + widths[name] > room:
            place += 1
        used[place] = used.get(place, -GAP) + GAP + widths[name]
        level[name] = place
    return _without_holes(level)


def _without_holes(level: dict[str, int]) -> dict[str, int]:
    rank = {place: number for number, place in enumerate(sorted(set(level.values())))}
    return {name: rank[place] for name, place in level.items()}


def _thread_down(result: Layered, items: Mapping[str, Item], source: str, sinks: Sequence[str]) -> None:
    if not sinks:
        return
    net = Net(source, back=False)
    here = items[source]
    last = max(items[sink].layer for sink in sinks)
    for layer in range(here.layer, last):
        wire = Wire(
            net, tops=[here], bottoms=[items[sink] for sink in sinks if items[sink].layer == layer + 1]
        )
        if layer + 1 < last:
            here = _pass(result, net, layer + 1)
            wire.bottoms.append(here)
        result.gaps[layer].append(wire)


def _thread_up(result: Layered, items: Mapping[str, Item], source: str, sinks: Sequence[str]) -> None:
    if not sinks:
        return
    net = Net(source, back=True)
    here = items[source]
    first = min(items[sink].layer for sink in sinks)
    for layer in range(here.layer - 1, first - 1, -1):
        wire = Wire(net, tops=[items[sink] for sink in sinks if items[sink].layer == layer], bottoms=[here])
        if layer > first:
            here = _pass(result, net, layer)
            wire.tops.append(here)
        result.gaps[layer].append(wire)


def _pass(result: Layered, net: Net, layer: int) -> Item:
    item = Item(1, layer, passing=net)
    result.layers[layer].append(item)
    return item
