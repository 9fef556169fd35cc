"""Shared declaration of blocks that are deterministic and touch nothing."""

from __future__ import annotations

from actbook.graphs import Block, Execution


class PureBlock(Block):
    """Deterministic and without effect: short enough for the loop, may run ahead of the commit, can be
    checked on replay.
    """

    execution: Execution = "inline"
    effects: bool = False
