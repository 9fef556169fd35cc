"""Whether the data that has reached a node is enough, and fit, to run it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from ._block import Block, BlockLookup
from ._graph import Node
from ._input_check import InputCheck, Verdict

logger = logging.getLogger(__name__)


def validate_exec(
    node: Node,
    data: Mapping[str, Any],
    resolve_input: bool = True,
    *,
    lookup: BlockLookup | None = None,
    block: Block | None = None,
    linked: Collection[str] | None = None,
) -> tuple[dict[str, Any] | None, str]:
    """The complete run input and the block's name, or None and the reason why the node cannot run.

    Never raises for what the data holds. `linked` are the sink names of the links into the node, by default
    those of its graph.
    """
    accepted, text, _ = validate_exec_noting(
        node, data, resolve_input, lookup=lookup, block=block, linked=linked
    )
    return accepted, text


def validate_exec_noting(
    node: Node,
    data: Mapping[str, Any],
    resolve_input: bool = True,
    *,
    lookup: BlockLookup | None = None,
    block: Block | None = None,
    linked: Collection[str] | None = None,
) -> Verdict:
    """`validate_exec` with the losses of conversion as a third part."""
    if block is None and lookup is not None:
        block = lookup(node.block_id)
    if linked is None:
        linked = [link.sink_name for link in node.input_links]
    return InputCheck(node, block, linked, _log_mismatch).accept(data, resolve_input)


def _log_mismatch(text: str) -> None:
    logger.warning("%.1000s", text)
