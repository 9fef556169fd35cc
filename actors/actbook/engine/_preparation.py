"""From a graph version to a plan: sub-graphs bound, blocks looked up, stand-ins put in where the run is simulated."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from actbook.blocks import Registry, simulated_lookup
from actbook.engine._errors import GraphNotFoundError
from actbook.engine._graph_store import KEPT, GraphStore
from actbook.engine._simulation import Simulation
from actbook.engine.admission import (
    Masks,
    StartingInputs,
    _construct_starting_node_execution_input,
    check_structure,
    starting_inputs,
)
from actbook.events import Create, GraphExecution, NodeExecution, Parent
from actbook.graphs import BlockLookup, Graph, Plan, bind_sub_graphs


class Prepared:
    """A graph version ready to run: bound, with its blocks and its plan. What every run asks is found out once."""

    def __init__(self, graph: Graph, lookup: BlockLookup) -> None:
        self.graph = graph
        self.lookup = lookup
        self.plan = Plan.compile(graph, lookup)
        self._sound = False
        self._input_names: frozenset[str] | None = None

    def starting(self, inputs: Mapping[str, Any], masks: Masks) -> StartingInputs:
        """What the starting nodes begin with. Raises `GraphValidationError` or `ValueError`."""
        if masks:
            return _construct_starting_node_execution_input(self.graph, self.lookup, inputs, masks)
        if not self._sound:
            check_structure(self.graph, self.lookup)
            self._sound = True
        return starting_inputs(self.graph, self.lookup, inputs)

    def unknown(self, inputs: Mapping[str, Any]) -> list[str]:
        """Names of given inputs that no INPUT node takes, sorted."""
        if self._input_names is None:
            self._input_names = frozenset(self.graph.input_schema(self.lookup)["properties"])
        return sorted(name for name in inputs if name not in self._input_names)


class Preparation:
    """Prepares each graph version once, per simulation; implements the actors' `Plans`."""

    def __init__(self, graphs: GraphStore, registry: Registry) -> None:
        self._graphs = graphs
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
        self, graph_id: str, version: int | None, simulation: dict[str, Any] | None
    ) -> Prepared:
        """The same for a saved graph. Raises `GraphNotFoundError`."""
        return await self.prepare(await self._graphs.load(graph_id, version), simulation)

    async def plan_of(self, state: GraphExecution) -> Plan:
        """The plan that an execution runs by."""
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
        masks = constants.get("nodes_input_masks") or {}
        create = Create(
            execution_id=node.child_id,
            user_id=state.user_id,
            inputs=node.data,
            starting=tuple(child.starting(node.data, masks)),
            masks=masks,
            parent=Parent(state.id, node.number, depth),
            root_id=state.correlation_id,
            settings=state.settings,
            limits=state.limits,
            simulation=simulation,
        )
        return child.plan, create

    async def _sub_graph(self, parent: Graph, constants: dict[str, Any], user_id: str) -> Graph:
        graph_id, version = str(constants.get("graph_id") or ""), constants.get("graph_version")
        for each in parent.sub_graphs:
            if each.id == graph_id and version in (None, each.version):
                return await self._graphs.save(_with_closure(each, parent), user_id)
        try:
            return await self._graphs.load(graph_id, version)
        except GraphNotFoundError as error:
            raise ValueError(str(error)) from error


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
