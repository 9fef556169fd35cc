"""Which links go against the flow, and an order of the nodes along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actbook.graphs import Graph

Edge = tuple[str, str]


def flow_order(graph: Graph) -> list[str]:
    """Node ids such that links lead forward, except those that close a cycle; otherwise in graph order."""
    nodes = [node.id for node in graph.nodes]
    edges = edges_of(graph)
    against = backward(nodes, edges)
    return topological(nodes, [edge for edge in edges if edge not in against])


def edges_of(graph: Graph) -> list[Edge]:
    """Pairs of linked nodes, each once, in the order of the links; a node's link to itself is none."""
    known = {node.id for node in graph.nodes}
    ends = ((link.source_id, link.sink_id) for link in graph.links)
    return list(dict.fromkeys((a, b) for a, b in ends if a != b and a in known and b in known))


def backward(nodes: Sequence[str], edges: Sequence[Edge]) -> set[Edge]:
    """Edges that close a cycle, as seen by a walk that begins at nodes without a predecessor, in the given order."""
    following = successors(nodes, edges)
    sinks = {sink for _, sink in edges}
    found: set[Edge] = set()
    done: set[str] = set()
    for start in [*(n for n in nodes if n not in sinks), *nodes]:
        _walk(start, following, done, found)
    return found


def _walk(start: str, following: Mapping[str, list[str]], done: set[str], found: set[Edge]) -> None:
    """Depth first, without recursion: graphs may be deep."""
    if start in done:
        return
    path = {start}
    stack = [(start, iter(following[start]))]
    while stack:
        node, rest = stack[-1]
        for sink in rest:
            if sink in path:
                found.add((node, sink))
            elif sink not in done:
                path.add(sink)
                stack.append((sink, iter(following[sink])))
                break
        else:
            stack.pop()
            path.discard(node)
            done.add(node)


def topological(nodes: Sequence[str], edges: Sequence[Edge]) -> list[str]:
    """Nodes so that edges lead forward; `edges` hold no cycle. A node follows its predecessors closely."""
    following = successors(nodes, edges)
    missing = dict.fromkeys(nodes, 0)
    for _, sink in edges:
        missing[sink] += 1
    ready = [node for node in reversed(nodes) if not missing[node]]
    order: list[str] = []
    while ready:
        node = ready.pop()
        order.append(node)
        for sink in reversed(following[node]):
            missing[sink] -= 1
            if not missing[sink]:
                ready.append(sink)
    return order


def successors(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, list[str]]:
    """Sinks per node, in the order of the edges."""
    following: dict[str, list[str]] = {node: [] for node in nodes}
    for source, sink in edges:
        following[source].append(sink)
    return following
