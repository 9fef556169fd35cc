"""What each node of a run needs to be executed: a body of some kind, a sub-graph, or a person."""

from __future__ import annotations

from typing import Literal, NamedTuple

from actbook.actors._permits import Limit, Permits
from actbook.actors._ready import UNPLACED
from actbook.events import Settings
from actbook.graphs import Block, BlockType, Plan


class Need(NamedTuple):
    """`kind`: which places it occupies. `gated`: a person has to approve before the body runs. `limits`: those of its block."""

    role: Literal["body", "child", "review"]
    kind: str
    block: Block
    gated: bool
    timeout: float | None
    limits: tuple[Limit, ...] = ()


class Needs:
    """The need of each node, worked out once per run."""

    def __init__(self, plan: Plan, settings: Settings, permits: Permits) -> None:
        self._permits = permits
        self._plan = plan
        self._settings = settings
        self._known: dict[str, Need] = {}

    def of(self, node_id: str) -> Need:
        """What executing this node takes."""
        need = self._known.get(node_id)
        if need is None:
            need = self._known[node_id] = self._find(node_id)
        return need

    def _find(self, node_id: str) -> Need:
        node, settings = self._plan.nodes[node_id], self._settings
        block, timeout = node.block, node.options.timeout
        if node.block_type is BlockType.AGENT:
            return Need("child", UNPLACED, block, False, timeout)
        if node.block_type is BlockType.HUMAN_IN_THE_LOOP and settings.human_in_the_loop_safe_mode:
            return Need("review", UNPLACED, block, False, timeout)
        gated = block.is_sensitive_action and settings.sensitive_action_safe_mode
        return Need("body", block.execution, block, gated, timeout, self._permits.limits_of(block))
