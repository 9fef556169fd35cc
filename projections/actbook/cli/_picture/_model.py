"""What a picture is made of: items in layers, and nets that join them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class BoxText(NamedTuple):
    """What stands in a node's box. `frame` tells inputs and outputs, sub-graphs and the rest apart."""

    text: str
    style: str = ""
    frame: str = "plain"


@dataclass(eq=False)
class Item:
    """A box, or a place where a long net passes through a layer. `left` is its first column."""

    width: int
    layer: int
    box: BoxText | None = None
    passing: Net | None = None
    left: int = 0

    @property
    def middle(self) -> int:
        return self.left + self.width // 2

    @property
    def inside(self) -> tuple[int, int]:
        """The columns in which a net may touch it."""
        return (self.left, self.left) if self.box is None else (self.left + 1, self.left + self.width - 2)


@dataclass(eq=False)
class Net:
    """All links from one source that go the same way; `back`: upwards, against the flow."""

    source: str
    back: bool


@dataclass(eq=False)
class Wire:
    """A net's part between a layer and the next one: the items it touches above and below."""

    net: Net
    tops: list[Item] = field(default_factory=list)
    bottoms: list[Item] = field(default_factory=list)
    top_columns: list[int] = field(default_factory=list)
    bottom_columns: list[int] = field(default_factory=list)

    @property
    def columns(self) -> list[int]:
        return [*self.top_columns, *self.bottom_columns]

    @property
    def is_straight(self) -> bool:
        return len(set(self.columns)) == 1


@dataclass
class Layered:
    """Items by layer from left to right, and the wires below each layer but the last."""

    layers: list[list[Item]]
    gaps: list[list[Wire]]
