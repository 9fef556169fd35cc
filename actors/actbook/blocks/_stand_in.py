"""A visible stand-in for a block that is not installed, made of the pins that graphs use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from actbook.graphs import ExecutionContext, Graph, Node, base_name, is_credentials_name, is_tool_pin

from ._imitation import ITEMS, imitation, seed_of, url
from ._needs import TEXT, Need, Needs
from ._outside_blocks import FEEDBACK_LINKS, OUTSIDE_BLOCKS, Kind, OutsideBlock
from ._ports import occurrence_for_run
from ._pure import PureBlock
from ._script import Run

_KINDS: dict[Kind, Need] = {"number": Need("number"), "list": Need("list"), "dict": Need("dict")}
_SELDOM = (
    "error",
    "failure",
    "failed",
    "negative",
    "rejected",
    "missing",
    "not_found",
    "no_output",
    "stderr_logs",
)


class Use(NamedTuple):
    """One node of the block in one graph."""

    graph: Graph
    node: Node


class SimulatedBlock(PureBlock):
    """Yields made-up values on the pins that the graph uses, or what a script says.

    `outputs` is a pure function of the node, the number of its run and the input. That number is
    `occurrence_for_run` where the engine sets it; otherwise runs are counted in this process, per graph
    execution and node.
    """

    feedback_links: frozenset[str] = frozenset()
    known: OutsideBlock
    uses: Mapping[str, Use]
    needs: Needs
    runs: Mapping[str, tuple[Run, ...]]

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], dict[str, int]] = {}

    def run(self, input: Any, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        occurrence = occurrence_for_run.get()
        if occurrence is None:
            occurrence = self._count(context)
        yield from self.outputs(context.node_id, occurrence, input)

    def outputs(self, node_id: str, occurrence: int, data: Any) -> list[tuple[str, Any]]:
        """What run number `occurrence` (from 0) of a node yields. A script's last run repeats."""
        runs = self.runs.get(node_id)
        if runs is not None:
            return list(runs[min(occurrence, len(runs) - 1)])
        return list(self._imitated(node_id, seed_of(node_id, data)))

    def _imitated(self, node_id: str, seed: str) -> Iterator[tuple[str, Any]]:
        use = self.uses.get(node_id)
        for pin in self._pins_to_yield(use):
            need = TEXT if use is None else self.needs.of_output(use.graph, use.node, pin)
            label = f"{pin} of {_title(use, self.name)}"
            if pin in self.known.each:
                for number in range(1, ITEMS + 1):
                    yield pin, self._value(pin, need, f"{label} {number}", seed)
            else:
                yield pin, self._value(pin, need, label, seed)

    def _value(self, pin: str, need: Need, label: str, seed: str) -> Any:
        kind = self.known.outputs.get(pin, "text")
        if need.kind == "text":
            if kind == "url" or pin.lower().endswith("url"):
                return url(label, seed)
            need = _KINDS.get(kind, TEXT)
        return imitation(need, label, seed)

    def _pins_to_yield(self, use: Use | None) -> list[str]:
        linked = set(self.known.outputs) if use is None else _linked_outputs(use)
        ordered = [*self.known.outputs, *sorted(linked.difference(self.known.outputs))]
        wanted = [pin for pin in ordered if pin in linked and not self._is_seldom(pin)]
        main = [pin for pin in wanted if self.known.outputs.get(pin) != "spare"]
        return main or wanted[:1]

    def _is_seldom(self, pin: str) -> bool:
        """Alternatives to success: made-up runs succeed."""
        kind = self.known.outputs.get(pin)
        return kind == "never" or (kind is None and pin.lower().endswith(_SELDOM))

    def _count(self, context: ExecutionContext) -> int:
        seen = self._seen.setdefault((context.graph_exec_id, context.node_id), {})
        return seen.setdefault(context.node_exec_id, len(seen))


def stand_in(
    block_id: str, uses: Iterable[Use], needs: Needs, runs: Mapping[str, tuple[Run, ...]]
) -> SimulatedBlock:
    """`runs`: scripted runs by node id."""
    by_node = {use.node.id: use for use in uses}
    known = OUTSIDE_BLOCKS.get(block_id) or OutsideBlock("", (), (), {})
    name = name_of(block_id, by_node.values())
    cls = type(
        "SimulatedBlock",
        (SimulatedBlock,),
        {
            "id": block_id,
            "name": name,
            "description": f"Stands in for {block_id}, which is not installed here.",
            "Input": _struct("Input", known.required, _input_pins(known, by_node.values())),
            "Output": _struct("Output", (), output_pins(block_id, by_node.values())),
            "feedback_links": FEEDBACK_LINKS.get(block_id, frozenset()),
            "known": known,
            "uses": by_node,
            "needs": needs,
            "runs": runs,
        },
    )
    instance: SimulatedBlock = cls()
    return instance


def name_of(block_id: str, uses: Iterable[Use]) -> str:
    known = OUTSIDE_BLOCKS.get(block_id)
    titles = (str(use.node.metadata.get("customized_name") or "") for use in uses)
    title = known.name if known else next(filter(None, titles), f"Block {block_id[:8]}")
    return f"{title} (simulated)"


def output_pins(block_id: str, uses: Iterable[Use]) -> list[str]:
    """Every pin a run may yield on, `error` aside."""
    known = OUTSIDE_BLOCKS.get(block_id)
    pins = dict.fromkeys(known.outputs if known else ())
    for use in uses:
        pins.update(dict.fromkeys(sorted(_linked_outputs(use))))
    return [pin for pin in pins if pin != "error"]


def _linked_outputs(use: Use) -> set[str]:
    return {base_name(link.source_name) for link in use.graph.links_from(use.node.id)}


def _input_pins(known: OutsideBlock, uses: Iterable[Use]) -> list[str]:
    pins = dict.fromkeys(known.optional)
    for use in uses:
        linked = (link.sink_name for link in use.graph.links_into(use.node.id))
        pins.update(dict.fromkeys(map(base_name, [*linked, *use.node.input_default])))
    return [pin for pin in pins if pin not in known.required and not _is_special(pin)]


def _is_special(pin: str) -> bool:
    return not pin or is_credentials_name(pin) or is_tool_pin(pin)


def _struct(name: str, required: Iterable[str], optional: Iterable[str]) -> type[msgspec.Struct]:
    """Pins may have any text as name, so the attributes behind them are numbered."""
    fields: list[Any] = [(f"required_{n}", Any, msgspec.field(name=pin)) for n, pin in enumerate(required)]
    fields += [
        (f"optional_{n}", Any, msgspec.field(name=pin, default=None)) for n, pin in enumerate(optional)
    ]
    return msgspec.defstruct(name, fields, kw_only=True, module=__name__)


def _title(use: Use | None, name: str) -> str:
    custom = "" if use is None else str(use.node.metadata.get("customized_name") or "")
    return custom or name.removesuffix(" (simulated)").removesuffix("Block")
