"""Admission: whether a run may begin and with what, and the calls that begin, resume and stop runs, as functions.

Those about stored graphs and executions work on `engine`; without one on the engine whose `async with Engine.open(…)` block
they are called in. Blocks and credentials are those of the same engine; with none open, the default blocks and the
credentials in the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from actbook.blocks import Registry, default_registry
from actbook.engine._admitting import Admission
from actbook.engine._current import current_engine, engine_or_current
from actbook.engine._masks import Masks, _merge_nodes_input_masks
from actbook.engine._starting_inputs import (
    NO_STARTING_NODES,
    StartingInputs,
    admitted_inputs,
    input_names,
    warn_of_unknown_inputs,
)
from actbook.engine.credentials import CredentialsInputs, CredentialsStore
from actbook.events import GraphExecution
from actbook.graphs import Graph, Node
from actbook.graphs import validate_exec as _validate_exec

if TYPE_CHECKING:
    from actbook.engine._engine import Engine

__all__ = [
    "NO_STARTING_NODES",
    "Admission",
    "Masks",
    "StartingInputs",
    "_construct_starting_node_execution_input",
    "_merge_nodes_input_masks",
    "add_graph_execution",
    "stop_graph_execution",
    "validate_and_construct_node_execution_input",
    "validate_exec",
]


def validate_exec(
    node: Node, data: Mapping[str, Any], resolve_input: bool = True, *, registry: Registry | None = None
) -> tuple[dict[str, Any] | None, str]:
    """The complete run input and the block's name, or None and the reason why the node can't run yet.

    Never raises for what the data holds, and changes nothing of it. The links into the node are those of its graph.
    `resolve_input`: values on dynamic pins are put together first.
    """
    return _validate_exec(node, data, resolve_input, lookup=_registry(registry).lookup)


async def _construct_starting_node_execution_input(
    graph: Graph,
    user_id: str,
    graph_inputs: Mapping[str, Any],
    masks: Masks | None = None,
    *,
    registry: Registry | None = None,
    credentials: CredentialsStore | None = None,
) -> StartingInputs:
    """Node id and validated input of each starting node, in graph order; those that will be skipped are among them.

    Raises `GraphValidationError` with everything that is wrong, `ValueError` for what spoils the graph as a whole or an
    input that does not fit, or `CredentialsStoreError`.
    """
    lookup = _registry(registry).lookup
    engine = current_engine()
    store = credentials if credentials is not None or engine is None else engine.credentials
    starting, _skip = await admitted_inputs(graph, user_id, graph_inputs, masks, store=store, lookup=lookup)
    warn_of_unknown_inputs(graph, input_names(graph, lookup), graph_inputs, user_id)
    return starting


async def validate_and_construct_node_execution_input(
    graph_id: str,
    user_id: str,
    graph_inputs: Mapping[str, Any],
    graph_version: int | None = None,
    graph_credentials_inputs: CredentialsInputs | None = None,
    nodes_input_masks: Masks | None = None,
    *,
    engine: Engine | None = None,
) -> Admission:
    """The saved graph, what its starting nodes begin with, the compiled masks and the nodes to skip; records nothing.

    Submitting and scheduling go through the same. Explicit masks win over those that follow from chosen credentials. Raises
    `GraphNotFoundError` for what is not there or not the user's to run, `GraphValidationError`, `ValueError`, or
    `CredentialsStoreError`.
    """
    return await engine_or_current(engine).admit(
        graph_id,
        user_id,
        graph_inputs,
        graph_version=graph_version,
        graph_credentials_inputs=graph_credentials_inputs,
        nodes_input_masks=nodes_input_masks,
    )


async def add_graph_execution(
    graph_id: str,
    user_id: str = "",
    inputs: Mapping[str, Any] | None = None,
    *,
    engine: Engine | None = None,
    **options: Any,
) -> GraphExecution:
    """Accepts a run, or with `graph_exec_id` resumes one; `options` are those of `Engine.add_graph_execution`."""
    return await engine_or_current(engine).add_graph_execution(graph_id, user_id, inputs, **options)


async def stop_graph_execution(
    user_id: str,
    graph_exec_id: str,
    wait_timeout: float = 15.0,
    cascade: bool = True,
    *,
    engine: Engine | None = None,
    reason: str = "Stopped by user",
) -> GraphExecution:
    """Stops an execution and, with `cascade`, those below it, within `wait_timeout` seconds; see `Engine.stop_graph_execution`."""
    return await engine_or_current(engine).stop_graph_execution(
        user_id, graph_exec_id, wait_timeout, cascade, reason=reason
    )


def _registry(registry: Registry | None) -> Registry:
    if registry is not None:
        return registry
    engine = current_engine()
    return default_registry() if engine is None else engine.registry
