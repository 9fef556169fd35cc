"""From a graph version to a plan: sub-graphs bound, blocks looked up, stand-ins put in where the run is simulated."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import msgspec

from actbook.actors import child_execution_id
from actbook.blocks import Registry, simulated_lookup
from actbook.engine._errors import GraphNotFoundError
from actbook.engine._graph_store import KEPT, GraphStore, Simulation
from actbook.engine.admission import _construct_starting_node_execution_input
from actbook.events import Create, GraphExecution, NodeExecution, Parent
from actbook.graphs import BlockLookup, Graph, Plan, bind_sub_graphs


class Prepared(NamedTuple):
    """A graph version ready to run: bound, with its blocks and its plan."""

    graph: Graph
    lookup: BlockLookup
    plan: Plan


class Preparation:
    """Prepares each graph version once, per simulation; implements the actors' `Plans`."""

    def __init__(self, graphs: GraphStore, registry: Registry) -> None:
        self._graphs = graphs
        self._registry = registry
        self._prepared: OrderedDict[tuple[str, int, bytes], Prepared] = OrderedDict()

    def prepare(self, graph: Graph, simulation: dict[str, Any] | None) -> Prepared:
        """Raises `ValueError` when the graph does not hold together."""
        key = (graph.id, graph.version, msgspec.json.encode(simulation, order="sorted"))
        prepared = self._prepared.get(key)
        if prepared is None:
            bound, _rebound = bind_sub_graphs(graph, self._registry.lookup)
            lookup: BlockLookup = self._registry.lookup
            if simulation is not None:
                script = Simulation.from_dict(simulation).script
                lookup = simulated_lookup(lookup, [bound, *bound.sub_graphs], script)
            prepared = Prepared(bound, lookup, Plan.compile(bound, lookup))
            self._prepared[key] = prepared
            if len(self._prepared) > KEPT:
                self._prepared.popitem(last=False)
        return prepared

    async def prepared(self, graph_id: str, version: int | None, simulation: dict[str, Any] | None) -> Prepared:
        """The same for a saved graph. Raises `GraphNotFoundError`."""
        return self.prepare(await self._graphs.load(graph_id, version), simulation)

    async def plan_of(self, state: GraphExecution) -> Plan:
        """The plan that an execution runs by."""
        return (await self.prepared(state.graph_id, state.graph_version, state.simulation)).plan

    async def child_of(self, plan: Plan, state: GraphExecution, node: NodeExecution) -> tuple[Plan, Create]:
        """How the sub-graph of an AGENT node begins. Raises `ValueError` when it can't."""
        parent = await self.prepared(state.graph_id, state.graph_version, state.simulation)
        constants = plan.nodes[node.node_id].node.input_default
        graph = await self._sub_graph(parent.graph, constants, state.user_id)
        child = self.prepare(graph, state.simulation)
        masks = constants.get("nodes_input_masks") or {}
        create = Create(
            execution_id=child_execution_id(state.id, node.number),
            user_id=state.user_id,
            inputs=node.data,
            starting=tuple(_construct_starting_node_execution_input(child.graph, child.lookup, node.data, masks)),
            masks=masks,
            parent=Parent(state.id, node.number),
            root_id=state.correlation_id,
            settings=state.settings,
            limits=state.limits,
            simulation=state.simulation,
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


def _with_closure(sub_graph: Graph, parent: Graph) -> Graph:
    """The sub-graph as a graph of its own, with the sub-graphs that it may call in turn."""
    document = sub_graph.to_dict()
    siblings = [each.to_dict() for each in parent.sub_graphs if each.id != sub_graph.id]
    document["sub_graphs"] = [*document.get("sub_graphs", []), *siblings]
    return Graph.from_dict(document)
