"""From a graph version to a plan: sub-graphs bound, blocks looked up, stand-ins put in where the run is simulated."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from actbook.blocks import Registry, simulated_lookup
from actbook.engine._errors import GraphNotFoundError
from actbook.engine._forgotten import check_remembered
from actbook.engine._graph_store import KEPT, GraphStore
from actbook.engine._masks import Masks, _merge_nodes_input_masks
from actbook.engine._simulation import Simulation
from actbook.engine._starting_inputs import (
    StartingInputs,
    admitted_inputs,
    check_structure,
    input_names,
    starting_inputs,
    warn_of_unknown_inputs,
)
from actbook.engine.credentials import (
    CredentialsInputs,
    CredentialsStore,
    asks_for_credentials,
    credential_inputs,
    keep_names_only,
    make_node_credentials_input_map,
    masks_for_child,
    with_sub_graphs,
)
from actbook.events import Create, GraphExecution, Limits, NodeExecution, Parent
from actbook.graphs import BlockLookup, Graph, Plan, bind_sub_graphs


class Prepared:
    """A graph version ready to run: bound, with its blocks and its plan. What every run asks is found out once."""

    def __init__(self, graph: Graph, lookup: BlockLookup) -> None:
        self.graph = graph
        self.lookup = lookup
        self.plan = Plan.compile(graph, lookup)
        self._sound = False

    def starting(self, inputs: Mapping[str, Any], masks: Masks) -> StartingInputs:
        """What the starting nodes begin with. Raises `GraphValidationError` or `ValueError`."""
        if masks:
            check_structure(self.graph, self.lookup, masks)
        elif not self._sound:
            check_structure(self.graph, self.lookup)
            self._sound = True
        return starting_inputs(self.graph, self.lookup, inputs, masks)

    @cached_property
    def asks(self) -> bool:
        """Whether any of its nodes, or of those below it, has a credentials pin."""
        return asks_for_credentials(self.graph, self.lookup)

    def credentials_map(self, chosen: CredentialsInputs) -> Masks:
        """The masks that follow from what was chosen for groups of credentials."""
        return make_node_credentials_input_map(self.graph, chosen, lookup=self.lookup) if chosen else {}

    async def admit(
        self, user_id: str, inputs: Mapping[str, Any], masks: Masks, store: CredentialsStore
    ) -> tuple[StartingInputs, tuple[str, ...]]:
        """What the starting nodes begin with, and the nodes to skip.

        Raises `GraphValidationError`, `ValueError`, or `CredentialsStoreError`.
        """
        if not self.asks:
            return self.starting(inputs, masks), ()
        starting, skip = await admitted_inputs(
            self.graph, user_id, inputs, masks, store=store, lookup=self.lookup
        )
        return starting, tuple(sorted(skip))

    @cached_property
    def node_ids(self) -> frozenset[str]:
        """Of the graph and of all below it."""
        return frozenset(node.id for each in with_sub_graphs(self.graph) for node in each.nodes)

    @cached_property
    def input_names(self) -> frozenset[str]:
        """What its INPUT nodes take."""
        return input_names(self.graph, self.lookup)

    def warn_of_unknown(self, inputs: Mapping[str, Any], user_id: str) -> None:
        """Logs the names of given inputs that no INPUT node takes."""
        warn_of_unknown_inputs(self.graph, self.input_names, inputs, user_id)


class Admitted(NamedTuple):
    """A run that may begin: its graph version, what its starting nodes begin with, all its masks, the nodes to skip."""

    prepared: Prepared
    starting: StartingInputs
    masks: dict[str, dict[str, Any]]
    skip: tuple[str, ...]
    credential_inputs: dict[str, dict[str, Any]]


class Preparation:
    """Prepares each graph version once, per simulation; implements the actors' `Plans`."""

    def __init__(self, graphs: GraphStore, registry: Registry, credentials: CredentialsStore) -> None:
        self._graphs = graphs
        self._credentials = credentials
        self._registry = registry
        self._prepared: OrderedDict[tuple[str, int, bytes], Prepared] = OrderedDict()

    async def prepare(self, graph: Graph, simulation: dict[str, Any] | None) -> Prepared:
        """Raises `ValueError` when the graph does not hold together."""
        key = (graph.id, graph.version, msgspec.json.encode(simulation, order="sorted"))
        prepared = self._prepared.get(key)
        if prepared is None:
            bound, _rebound = bind_sub_graphs(graph, self._registry.lookup)
            prepared = Prepared(bound, await self._lookup_for(bound, simulation))
            self._prepared[key] = prepared
            if len(self._prepared) > KEPT:
                self._prepared.popitem(last=False)
        return prepared

    async def _lookup_for(self, graph: Graph, simulation: dict[str, Any] | None) -> BlockLookup:
        if simulation is None:
            return self._registry.lookup
        recorded = Simulation.from_dict(simulation)
        graphs = [graph, *graph.sub_graphs]
        if recorded.root is not None:
            root, _rebound = bind_sub_graphs(await self._graphs.load(*recorded.root), self._registry.lookup)
            graphs = [root, *root.sub_graphs]
        return simulated_lookup(self._registry.lookup, graphs, recorded.script)

    async def prepared(
        self,
        graph_id: str,
        version: int | None,
        simulation: dict[str, Any] | None,
        user_id: str | None = None,
    ) -> Prepared:
        """The same for a saved graph that the user may use; None: any. Raises `GraphNotFoundError`."""
        return await self.prepare(await self._graphs.load(graph_id, version, user_id), simulation)

    async def admit(
        self,
        graph_id: str,
        user_id: str,
        inputs: Mapping[str, Any],
        graph_version: int | None = None,
        graph_credentials_inputs: CredentialsInputs | None = None,
        nodes_input_masks: Masks | None = None,
        simulation: dict[str, Any] | None = None,
    ) -> Admitted:
        """The one way in, for submitting and for scheduling. Records nothing.

        Raises `GraphNotFoundError`, `GraphValidationError`, `ValueError`, or `CredentialsStoreError`.
        """
        prepared = await self.prepared(graph_id, graph_version, simulation, user_id)
        chosen = credential_inputs(graph_credentials_inputs)
        masks = _merge_nodes_input_masks(prepared.credentials_map(chosen), nodes_input_masks)
        if masks and prepared.asks:
            keep_names_only(masks, prepared.graph, prepared.lookup)
        starting, skip = await prepared.admit(user_id, inputs, masks, self._credentials)
        prepared.warn_of_unknown(inputs, user_id)
        return Admitted(prepared, starting, masks, skip, chosen)

    async def plan_of(self, state: GraphExecution) -> Plan:
        """The plan that an execution runs by. Raises `ValuesForgottenError` when there is nothing to run it on any more."""
        await check_remembered(self._graphs.journal, state.id, state.user_id)
        return (await self.prepared(state.graph_id, state.graph_version, state.simulation)).plan

    async def child_of(self, plan: Plan, state: GraphExecution, node: NodeExecution) -> tuple[Plan, Create]:
        """How the sub-graph of an AGENT node begins. Raises `ValueError` when it can't."""
        depth = state.parent.depth + 1 if state.parent else 1
        if depth > state.limits.depth:
            raise ValueError(
                f"Sub-graphs are nested deeper than the run's bound of {state.limits.depth} levels."
            )
        parent = await self.prepared(state.graph_id, state.graph_version, state.simulation)
        constants = plan.nodes[node.node_id].node.input_default
        graph = await self._sub_graph(parent.graph, constants, state.user_id)
        simulation = _inherited(state)
        child = await self.prepare(graph, simulation)
        every = masks_for_child(constants, state.masks)
        masks = {node_id: fields for node_id, fields in every.items() if node_id in child.node_ids}
        starting, skip = await child.admit(state.user_id, node.data, masks, self._credentials)
        create = Create(
            execution_id=node.child_id,
            user_id=state.user_id,
            inputs=node.data,
            starting=tuple(starting),
            masks=masks,
            skip=skip,
            parent=Parent(state.id, node.number, depth),
            root_id=state.correlation_id,
            settings=state.settings,
            limits=_capped(state.limits, plan.nodes[node.node_id].options.timeout),
            simulation=simulation,
        )
        return child.plan, create

    async def _sub_graph(self, parent: Graph, constants: dict[str, Any], user_id: str) -> Graph:
        """What a graph brings along is its author's; what it only names may be his too, if he meant the user to have the graph."""
        graph_id, version = str(constants.get("graph_id") or ""), constants.get("graph_version")
        author = await self._graphs.saver(parent.id, parent.version)
        for each in parent.sub_graphs:
            if each.id == graph_id and version in (None, each.version):
                return await self._graphs.save(_with_closure(each, parent), author)
        if author != user_id and await self._graphs.trusts(parent.id, parent.version, user_id):
            with suppress(GraphNotFoundError):
                return await self._graphs.load(graph_id, version, author)
        try:
            return await self._graphs.load(graph_id, version, user_id)
        except GraphNotFoundError as error:
            raise ValueError(str(error)) from error


def _capped(limits: Limits, timeout: float | None) -> Limits:
    """The run's limits for a sub-graph, whose AGENT node may have a cap of its own."""
    if timeout is None or 0 < limits.timeout <= timeout:
        return limits
    return msgspec.structs.replace(limits, timeout=timeout)


def _inherited(state: GraphExecution) -> dict[str, Any] | None:
    if state.simulation is None:
        return None
    return Simulation.from_dict(state.simulation).within(state.graph_id, state.graph_version).to_dict()


def _with_closure(sub_graph: Graph, parent: Graph) -> Graph:
    """The sub-graph as a graph of its own, with the sub-graphs that it may call in turn."""
    document = sub_graph.to_dict()
    known = {(sub_graph.id, sub_graph.version), *((each.id, each.version) for each in sub_graph.sub_graphs)}
    siblings = [each.to_dict() for each in parent.sub_graphs if (each.id, each.version) not in known]
    document["sub_graphs"] = [*document.get("sub_graphs", []), *siblings]
    return Graph.from_dict(document)
