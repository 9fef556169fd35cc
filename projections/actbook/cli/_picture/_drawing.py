"""Draws a graph as boxes in layers, joined by lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from actbook.cli._picture._canvas import Canvas, clip, width_of
from actbook.cli._picture._columns import place
from actbook.cli._picture._crossings import untangle
from actbook.cli._picture._layers import layered
from actbook.cli._picture._model import BoxText, Item, Layered, Wire
from actbook.cli._picture._order import Edge, backward, edges_of, flow_order
from actbook.cli._picture._routing import route
from actbook.graphs import Graph

LABELS = (26, 18)
"""Most columns of a label, and of one where there is little room."""

_BOX_HEIGHT = 3
_NARROWEST = 40
_STEP = 10
_BIG = 100
_TOO_WIDE = 1000
"""How many more layers a picture that fits may have than one that does not."""


class Frame(NamedTuple):
    """Corners clockwise from the upper left, then the horizontal and the vertical line."""

    corners: str
    horizontal: str
    vertical: str


FRAMES = {
    "plain": Frame("┌┐┘└", "─", "│"),
    "round": Frame("╭╮╯╰", "─", "│"),
    "double": Frame("╔╗╝╚", "═", "║"),
}

_TURNS = {
    "ud": "│", "lr": "─", "ur": "╰", "ul": "╯", "dr": "╭", "dl": "╮",
    "udr": "├", "udl": "┤", "ulr": "┴", "dlr": "┬", "udlr": "┼", "u": "│", "d": "│", "l": "─", "r": "─",
}  # fmt: skip


def draw(
    graph: Graph, boxes: Mapping[str, BoxText], width: int, hidden: Collection[Edge] = ()
) -> list[list[tuple[str, str]]]:
    """Rows of (text, style) runs. `boxes`: what stands in the box of each node that is to be drawn.

    Keeps to `width` columns if the graph lets it. Links against the flow are dashed and end with ▲; `hidden`
    ones are left out.
    """
    order = [node for node in flow_order(graph) if node in boxes]
    edges = [edge for edge in edges_of(graph) if edge[0] in boxes and edge[1] in boxes and edge not in hidden]
    against = backward([node.id for node in graph.nodes], edges_of(graph))
    forward = [edge for edge in edges if edge not in against]
    back = [edge for edge in edges if edge in against]
    best: tuple[int, Layered] | None = None
    for label, room in _attempts(width, len(order)):
        texts = {name: _with_loop(graph, name, boxes[name], label) for name in order}
        widths = {name: width_of(texts[name].text) + 4 for name in order}
        picture = layered(order, forward, back, texts, widths, room)
        untangle(picture)
        overflow = max(0, place(picture, tight=label < LABELS[0]) - width)
        cost = len(picture.layers) + (_TOO_WIDE + overflow if overflow else 0)
        if best is None or cost < best[0]:
            best = (cost, picture)
        if not overflow:
            break
    return [] if best is None else _render(best[1])


def _attempts(width: int, nodes: int) -> Iterator[tuple[int, int]]:
    """Columns for a label and for the boxes of a layer: less and less until it fits. Big graphs get few attempts."""
    for label in LABELS:
        for room in range(width, _NARROWEST - 1, -_STEP):
            yield label, room
            if nodes > _BIG:
                break


def _with_loop(graph: Graph, name: str, box: BoxText, label: int) -> BoxText:
    """A node that is linked to itself is marked: there is no place for such a line."""
    loops = any(link.source_id == link.sink_id == name for link in graph.links)
    text = clip(box.text, label)
    return box._replace(text=f"{text} ↺" if loops else text)


def _render(picture: Layered) -> list[list[tuple[str, str]]]:
    canvas = Canvas()
    row = 0
    for number, layer in enumerate(picture.layers):
        turns = route(picture.gaps[number]) if number < len(picture.gaps) else []
        for item in layer:
            _draw_item(canvas, item, row)
        if number:
            _draw_arrivals(canvas, picture.gaps[number - 1], row)
        row += _BOX_HEIGHT
        if number < len(picture.gaps):
            row += _draw_gap(canvas, picture.gaps[number], turns, row)
    return canvas.runs()


def _draw_item(canvas: Canvas, item: Item, row: int) -> None:
    if item.box is None:
        back = item.passing is not None and item.passing.back
        for offset in range(_BOX_HEIGHT):
            canvas.put(row + offset, item.left, "┆" if back else "│", "dim")
        return
    frame, style = FRAMES[item.box.frame], item.box.style
    a, b, c, d = tuple(frame.corners)
    line = frame.horizontal * (item.width - 2)
    canvas.put(row, item.left, f"{a}{line}{b}", style)
    canvas.put(row + 1, item.left, f"{frame.vertical} ", style)
    canvas.put(row + 1, item.left + 2, item.box.text, style)
    canvas.put(row + 1, item.left + item.width - 2, f" {frame.vertical}", style)
    canvas.put(row + 2, item.left, f"{d}{line}{c}", style)


def _draw_gap(canvas: Canvas, wires: list[Wire], rows: list[list[Wire]], top: int) -> int:
    """Returns how many rows it takes."""
    height = max(1, len(rows))
    turning = {id(wire): number for number, row in enumerate(rows) for wire in row}
    for number, row in enumerate(rows):
        for wire in row:
            _draw_turn(canvas, wire, top + number)
    for wire in wires:
        _draw_verticals(canvas, wire, top, turning.get(id(wire)), height)
    _draw_departures(canvas, wires, top - 1)
    return height


def _draw_turn(canvas: Canvas, wire: Wire, row: int) -> None:
    first, last = min(wire.columns), max(wire.columns)
    dash = "╌" if wire.net.back else "─"
    for column in range(first, last + 1):
        directions = (
            ("u" if column in wire.top_columns else "")
            + ("d" if column in wire.bottom_columns else "")
            + ("l" if column > first else "")
            + ("r" if column < last else "")
        )
        glyph = dash if directions == "lr" else _TURNS[directions]
        canvas.put(row, column, glyph, "dim")


def _draw_verticals(canvas: Canvas, wire: Wire, top: int, turn: int | None, height: int) -> None:
    line = "┆" if wire.net.back else "│"
    above = range(height if turn is None else turn)
    below = range(0 if turn is None else turn + 1, height)
    for column in wire.top_columns:
        for offset in above:
            canvas.put(top + offset, column, line, "dim")
    for column in wire.bottom_columns if turn is not None else ():
        for offset in below:
            canvas.put(top + offset, column, line, "dim")


def _draw_departures(canvas: Canvas, wires: list[Wire], row: int) -> None:
    """Where wires leave the lower side of a box, or arrive there from below."""
    for wire in wires:
        for item, column in zip(wire.tops, wire.top_columns, strict=True):
            if item.box is not None:
                leaves = "╤" if item.box.frame == "double" else "┬"
                canvas.put(row, column, "▲" if wire.net.back else leaves, item.box.style)


def _draw_arrivals(canvas: Canvas, wires: list[Wire], row: int) -> None:
    """Where wires arrive at the upper side of a box, or leave it upwards."""
    for wire in wires:
        for item, column in zip(wire.bottoms, wire.bottom_columns, strict=True):
            if item.box is not None:
                leaves = "╧" if item.box.frame == "double" else "┴"
                canvas.put(row, column, leaves if wire.net.back else "▼", item.box.style)
