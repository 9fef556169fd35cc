"""Pictures of graphs: layered boxes in the terminal, and Mermaid."""

from actbook.cli._picture._drawing import draw
from actbook.cli._picture._mermaid import mermaid
from actbook.cli._picture._model import BoxText
from actbook.cli._picture._order import Edge, flow_order

__all__ = ["BoxText", "Edge", "draw", "flow_order", "mermaid"]
