"""What a graph does with the value of a pin: the shape that a made-up value needs so that the graph can go
on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from actbook.graphs import AGENT_BLOCK_ID, BlockLookup, BlockType, Graph, Link, Node, base_name

from .standard import standard_id

MAX_HOPS = 64


class Need(msgspec.Struct, frozen=True):
    """`text` is the least: every value will do. `parts`: of a dict, of the elements in an XML text. `item`:
    of a list.
    """

    kind: Literal["text", "number", "flag", "list", "dict", "xml", "json"] = "text"
    parts: dict[str, Need] = {}
    item: Need | None = None


TEXT = Need()
NUMBER = Need("number")


class Place(NamedTuple):
    """A pin of a node, and the graph the node is in."""

    graph: Graph
    node: Node
    pin: str


Found = dict[tuple[str, str, str], Need]


def both(first: Need, second: Need) -> Need:
    """One need for a value that goes two ways. The first wins where they contradict each other."""
    if first.kind == "text":
        return second
    if second.kind != first.kind:
        return first
    parts = dict(first.parts)
    for name, need in second.parts.items():
        parts[name] = both(parts.get(name, TEXT), need)
    item = first.item if second.item is None else both(first.item or TEXT, second.item)
    return Need(first.kind, parts, item)


def united(needs: Iterable[Need]) -> Need:
    found = TEXT
    for need in needs:
        found = both(found, need)
    return found


class Needs:
    """Follows links downstream, through blocks that pass values on and through sub-graphs."""

    def __init__(self, graphs: Iterable[Graph], lookup: BlockLookup) -> None:
        self._graphs = {(graph.id, graph.version): graph for graph in graphs}
        self._lookup = lookup
        self._answers: dict[tuple[str, int, str, str], Need] = {}
        self._nodes = {(key, node.id): node for key, graph in self._graphs.items() for node in graph.nodes}
        self._links: dict[tuple[str, int, str], list[Link]] = {}
        for (graph_id, version), graph in self._graphs.items():
            for link in graph.links:
                self._links.setdefault((graph_id, version, link.source_id), []).append(link)

    def of_output(self, graph: Graph, node: Node, pin: str) -> Need:
        """What becomes of the values a node yields on a pin."""
        key = (graph.id, graph.version, node.id, pin)
        if key not in self._answers:
            self._answers[key] = self._of_output(Place(graph, node, pin), {}, 0)
        return self._answers[key]

    def _of_output(self, place: Place, found: Found, hops: int) -> Need:
        """`found` holds what this question has seen already, so that ways that meet again are followed once."""
        key = (place.graph.id, place.node.id, place.pin)
        if key not in found:
            found[key] = TEXT
            if hops < MAX_HOPS:
                found[key] = united(self._of_links(place, found, hops + 1))
        return found[key]

    def _of_links(self, place: Place, found: Found, hops: int) -> Iterator[Need]:
        graph = place.graph
        for link in self._links.get((graph.id, graph.version, place.node.id), ()):
            sink = self._nodes.get(((graph.id, graph.version), link.sink_id))
            if sink is not None and base_name(link.source_name) == base_name(place.pin):
                need = self._of_input(Place(graph, sink, link.sink_name), found, hops)
                yield _selected(link.source_name, need)

    def _of_input(self, place: Place, found: Found, hops: int) -> Need:
        if base_name(place.pin) != place.pin:
            return TEXT
        block = self._lookup(place.node.block_id)
        kind = None if block is None else block.block_type
        if place.node.block_id == AGENT_BLOCK_ID:
            return united(self._inside_child(place, found, hops))
        if kind is BlockType.OUTPUT:
            return united(self._outside_child(place, found, hops))
        if kind is BlockType.INPUT:
            return (
                self._of_output(place._replace(pin="result"), found, hops) if place.pin == "value" else TEXT
            )
        rule = _RULES.get((place.node.block_id, place.pin))
        if rule is not None:
            return rule(place, lambda pin: self._of_output(place._replace(pin=pin), found, hops))
        return TEXT if block is None else _of_type(_pin_type(block.input_schema.fields, place.pin))

    def _inside_child(self, place: Place, found: Found, hops: int) -> Iterator[Need]:
        child = self._child_of(place.node)
        for node in child.nodes if child is not None else ():
            block = self._lookup(node.block_id)
            is_input = block is not None and block.block_type is BlockType.INPUT
            if child is not None and is_input and node.input_default.get("name") == place.pin:
                yield self._of_output(Place(child, node, "result"), found, hops)

    def _outside_child(self, place: Place, found: Found, hops: int) -> Iterator[Need]:
        if place.pin != "value" or place.node.input_default.get("format"):
            return
        name = place.node.input_default.get("name")
        for graph in self._graphs.values():
            for node in graph.nodes:
                if node.block_id == AGENT_BLOCK_ID and self._child_of(node) is place.graph:
                    yield self._of_output(Place(graph, node, str(name)), found, hops)

    def _child_of(self, node: Node) -> Graph | None:
        reference = (node.input_default.get("graph_id"), node.input_default.get("graph_version"))
        return self._graphs.get(reference)  # type: ignore[arg-type]


Follow = Callable[[str], Need]


def _passed_on(*pins: str) -> Callable[[Place, Follow], Need]:
    return lambda place, follow: united(follow(pin) for pin in pins)


def _xml(place: Place, follow: Follow) -> Need:
    return Need("xml", follow("parsed_xml").parts)


def _found_in(place: Place, follow: Follow) -> Need:
    key = place.node.input_default.get("key")
    if isinstance(key, int):
        return Need("list", item=follow("output"))
    return Need("dict", {key: follow("output")} if isinstance(key, str) else {})


def _stored(place: Place, follow: Follow) -> Need:
    constant = place.node.input_default.get("data")
    return TEXT if constant and place.pin == "input" else follow("output")


def _compared(place: Place, follow: Follow) -> Need:
    other = place.node.input_default.get("value2" if place.pin == "value1" else "value1")
    ordered = place.node.input_default.get("operator") in (">", "<", ">=", "<=")
    return NUMBER if ordered and _is_number(other) else TEXT


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _matched(pin: str) -> Callable[[Place, Follow], Need]:
    def tags(place: Place, follow: Follow) -> Need:
        pattern = str(place.node.input_default.get(pin, ""))
        found = dict.fromkeys(re.findall(r"<(\w+)>", pattern), TEXT)
        return Need("xml", found) if found else TEXT

    return tags


def _converted(place: Place, follow: Follow) -> Need:
    wanted = {"number": NUMBER, "list": Need("list"), "dictionary": Need("dict")}
    return wanted.get(str(place.node.input_default.get("type")), TEXT)


_RULES_BY_NAME: dict[tuple[str, str], Callable[[Place, Follow], Need]] = {
    ("XMLParserBlock", "input_xml"): _xml,
    ("FindInDictionaryBlock", "input"): _found_in,
    ("StoreValueBlock", "input"): _stored,
    ("StoreValueBlock", "data"): _passed_on("output"),
    ("StepThroughItemsBlock", "items"): lambda place, follow: Need("list", item=follow("item")),
    ("StepThroughItemsBlock", "items_object"): lambda place, follow: Need("dict", {"first": follow("item")}),
    ("StepThroughItemsBlock", "items_str"): lambda place, follow: Need(
        "json", item=Need("list", item=follow("item"))
    ),
    ("CountItemsBlock", "collection"): lambda place, follow: Need("list"),
    ("ConditionBlock", "value1"): _compared,
    ("ConditionBlock", "value2"): _compared,
    ("ConditionBlock", "yes_value"): _passed_on("yes_output"),
    ("ConditionBlock", "no_value"): _passed_on("no_output"),
    ("JSONDecoderBlock", "json_str"): lambda place, follow: Need(
        "json", item=both(follow("data"), Need("dict"))
    ),
    ("UniversalTypeConverterBlock", "value"): _converted,
    ("ExtractTextInformationBlock", "text"): _matched("pattern"),
    ("MatchTextPatternBlock", "text"): _matched("match"),
    ("MatchTextPatternBlock", "data"): _passed_on("positive", "negative"),
    ("AddToListBlock", "entry"): lambda place, follow: follow("updated_list").item or TEXT,
}

_RULES = {(standard_id(name), pin): rule for (name, pin), rule in _RULES_BY_NAME.items()}


def _pin_type(fields: Mapping[str, Any], pin: str) -> Any:
    found = fields.get(pin)
    return Any if found is None else found.type


def _of_type(annotation: Any) -> Need:
    origin = get_origin(annotation) or annotation
    if origin is list:
        inner = get_args(annotation)
        return Need("list", item=_of_type(inner[0]) if inner else None)
    simple = {dict: Need("dict"), int: NUMBER, float: NUMBER, bool: Need("flag")}
    return simple.get(origin, TEXT) if isinstance(origin, type) else TEXT


_STEP = re.compile(r"_([$#@])_((?:(?!_[$#@]_).)+)", re.DOTALL)


def _selected(source_name: str, need: Need) -> Need:
    """The need of the whole value, when a link takes only a part of it."""
    base = base_name(source_name)
    if base == source_name or not source_name.startswith(base):
        return need
    for delimiter, identifier in reversed(_STEP.findall(source_name[len(base) :])):
        need = Need("list", item=need) if delimiter == "$" else Need("dict", {identifier: need})
    return need
