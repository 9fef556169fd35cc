"""Where the boxes of a graph stand in a picture: in layers along the flow, near what they are joined with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 176, 48
GAP_X, GAP_Y = 28, 64
MARGIN = 24
_ROUNDS = 6
_NARROWEST = 6


class Box(NamedTuple):
    """The upper left corner of a node."""

    x: float
    y: float


class Layout(NamedTuple):
    """Boxes by node id, the size of the picture, and the pairs of nodes whose links lead against the flow."""

    boxes: dict[str, Box]
    width: float
    height: float
    against: frozenset[tuple[str, str]]


def lay_out(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> Layout:
    """A picture of any graph, cycles included; takes about a second for 10,000 nodes."""
    known = set(nodes)
    joined = list(dict.fromkeys((a, b) for a, b in edges if a != b and a in known and b in known))
    following: dict[str, list[str]] = {node: [] for node in nodes}
    for source, sink in joined:
        following[source].append(sink)
    against = _against(nodes, following, {sink for _, sink in joined})
    forward = [edge for edge in joined if edge not in against]
    rows = _rows(_ordered(_layers(nodes, forward), forward), max(_NARROWEST, round(len(nodes) ** 0.5)))
    return _placed(rows, forward, frozenset(against))


def _against(
    nodes: Sequence[str], following: Mapping[str, list[str]], sinks: set[str]
) -> set[tuple[str, str]]:
    """Edges that close a cycle, for a walk that begins at what nothing leads to. No recursion: graphs may be deep."""
    found: set[tuple[str, str]] = set()
    done: set[str] = set()
    for start in (*(node for node in nodes if node not in sinks), *nodes):
        if start in done:
            continue
        path, stack = {start}, [(start, iter(following[start]))]
        while stack:
            node, rest = stack[-1]
            sink = next((each for each in rest if each not in done), None)
            if sink is None:
                stack.pop()
                path.discard(node)
                done.add(node)
            elif sink in path:
                found.add((node, sink))
            else:
                path.add(sink)
                stack.append((sink, iter(following[sink])))
    return found


def _layers(nodes: Sequence[str], forward: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Each node below everything that leads to it."""
    missing = dict.fromkeys(nodes, 0)
    following: dict[str, list[str]] = {node: [] for node in nodes}
    for source, sink in forward:
        missing[sink] += 1
        following[source].append(sink)
    level = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not missing[node]]
    for node in ready:
        for sink in following[node]:
            level[sink] = max(level[sink], level[node] + 1)
            missing[sink] -= 1
            if not missing[sink]:
                ready.append(sink)
    layers: list[list[str]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for node in nodes:
        layers[level[node]].append(node)
    return layers


def _ordered(layers: list[list[str]], forward: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Each layer in an order in which few links cross."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, sink in forward:
        above.setdefault(sink, []).append(source)
        below.setdefault(source, []).append(sink)
    place = {node: float(index) for layer in layers for index, node in enumerate(layer)}
    for round_number in range(_ROUNDS):
        down = round_number % 2 == 0
        near = above if down else below
        for layer in layers if down else reversed(layers):
            layer.sort(key=lambda node: _mean([place[each] for each in near.get(node, ())], place[node]))
            for index, node in enumerate(layer):
                place[node] = index - len(layer) / 2
    return layers


def _rows(layers: list[list[str]], most: int) -> list[list[str]]:
    """A layer that is too wide becomes several rows."""
    return [layer[at : at + most] for layer in layers for at in range(0, len(layer), most)]


def _placed(
    rows: list[list[str]], forward: Sequence[tuple[str, str]], against: frozenset[tuple[str, str]]
) -> Layout:
    step = WIDTH + GAP_X
    above: dict[str, list[str]] = {}
    for source, sink in forward:
        above.setdefault(sink, []).append(source)
    left: dict[str, float] = {}
    reach = max((len(row) for row in rows), default=0) * step / 2
    for row in rows:
        wanted = [_mean([left[each] for each in above.get(node, ()) if each in left], 0.0) for node in row]
        start = _mean([want - index * step for index, want in enumerate(wanted)], 0.0)
        if not any(above.get(node) for node in row):
            start = -(len(row) - 1) * step / 2
        start = min(max(start, step / 2 - reach), step / 2 + reach - len(row) * step)
        for index, node in enumerate(row):
            left[node] = start + index * step
    first = min(left.values(), default=0.0)
    boxes = {
        node: Box(left[node] - first + MARGIN, MARGIN + number * (HEIGHT + GAP_Y))
        for number, row in enumerate(rows)
        for node in row
    }
    width = max((box.x for box in boxes.values()), default=0.0) + WIDTH + MARGIN
    height = MARGIN * 2 + len(rows) * (HEIGHT + GAP_Y) - GAP_Y
    return Layout(boxes, width, max(height, MARGIN * 2), against)


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
