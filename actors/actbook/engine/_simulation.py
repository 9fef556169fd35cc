"""How a simulated run is recorded, so that it goes on as a simulation after a restart."""

from __future__ import annotations

from typing import Any

import msgspec


class Simulation(msgspec.Struct, frozen=True):
    """`simulate=True`: stand-ins for blocks that are not installed.

    `script` gives their outputs by block or node. `root` is the graph (id, version) whose sub-graph this run is: what a
    stand-in yields must suit its readers, and those of a sub-graph's outputs are in the graph that calls it.
    """

    script: dict[str, Any] | None = None
    root: tuple[str, int] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it is recorded with the execution."""
        recorded: dict[str, Any] = msgspec.to_builtins(self)
        return recorded

    @classmethod
    def from_dict(cls, recorded: dict[str, Any]) -> Simulation:
        """From what was recorded."""
        return msgspec.convert(recorded, cls)

    def within(self, graph_id: str, version: int) -> Simulation:
        """The same for a sub-graph of that graph, however deep."""
        return self if self.root else msgspec.structs.replace(self, root=(graph_id, version))
