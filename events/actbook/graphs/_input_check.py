"""One node's input rules, prepared: what the data must hold, and how it is completed and converted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import NoneType
from typing import Any

from ._block import Block, BlockType, UnknownBlock
from ._convert import ConversionError, convert_noting
from ._graph import Node
from ._node_pins import constants, input_pins
from ._pin import Pin
from ._pins import PinPathError, merge_execution_input, split_pin
from ._types import CONTAINERS, bare, is_plain, members_of, satisfaction

_REMEMBERED = 256
_EXACT_AS_FLOAT = 2**53

Verdict = tuple[dict[str, Any] | None, str, tuple[str, ...]]
"""The run input or None, the block name or the reason, and what conversion lost."""


class InputCheck:
    """Everything about one node's input that does not depend on the data, worked out once."""

    def __init__(
        self,
        node: Node,
        block: Block | None,
        linked: Collection[str],
        on_mismatch: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.on_mismatch = on_mismatch
        self.known = block is not None and not isinstance(block, UnknownBlock)
        self.block = block or UnknownBlock(node.block_id)
        self.block_id = node.block_id
        self.linked = frozenset(linked)
        self.feedback = self.linked & self.block.feedback_links
        self.pins = input_pins(node, self.block)
        self.required = self.pins.required
        self.lossless = self.block.block_type is BlockType.AGENT
        self.tests = tuple(_PinTest(pin) for pin in self.pins.fields.values() if pin.type is not Any)
        self.defaults = _plain_first(self._settled(constants(node, self.block)))
        names = {*self.pins.names, *self.defaults, *self.linked}
        self.plain = frozenset(name for name in names if split_pin(name) is None)
        self.checked_whole = hasattr(self.pins.struct, "__post_init__")
        self.refusals: dict[frozenset[str], Verdict] = {}

    def accept(self, data: Mapping[str, Any], resolve_input: bool = True) -> Verdict:
        if not self.known:
            return None, f"Block for {self.block_id} not found.", ()
        if not self.linked <= data.keys():
            missing = self.linked.difference(data)
            if missing != self.feedback:
                return self._unpopulated(missing)
        merged = {**self.defaults, **data}
        if resolve_input and not merged.keys() <= self.plain:
            try:
                merged = merge_execution_input(_overlaid(self.defaults, data))
            except PinPathError as error:
                return self._refuse(str(error))
        return self._converted(merged)

    def _converted(self, merged: dict[str, Any]) -> Verdict:
        certain = not self.checked_whole
        warnings: tuple[str, ...] = ()
        for test in self.tests:
            value = merged.get(test.name)
            if type(value) is test.kind or value is None:
                continue
            if test.kind is float and type(value) is int and abs(value) <= _EXACT_AS_FLOAT:
                merged[test.name] = float(value)
                continue
            if test.satisfied(value):
                certain = certain and test.sure
                continue
            certain = False
            try:
                merged[test.name], noted = self._fit(test, value)
            except ConversionError as error:
                return self._refuse_value(f"{error} (pin `{test.name}`)")
            warnings += noted
        return self._checked(merged, certain, warnings)

    def _fit(self, test: _PinTest, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Converted, with what that lost. AGENT pins take no lossy conversion: they tell the mismatch."""
        try:
            converted, losses = convert_noting(value, test.annotation)
        except ConversionError:
            if self.lossless:
                return value, ()
            raise
        if losses and self.lossless:
            return value, ()
        return converted, tuple(f"pin `{test.name}`: {loss}" for loss in losses)

    def _checked(self, merged: dict[str, Any], certain: bool, warnings: tuple[str, ...]) -> Verdict:
        """`certain`: every value is exactly of its pin's type, so only a required None can be wrong."""
        if not self.required <= merged.keys():
            return self._refuse(f"missing input {_named(self.pins.missing_input(merged))}")
        for name in self.required:
            if merged[name] is None:
                certain = False
        if not certain and (fault := self.pins.mismatch(merged)) is not None:
            return self._refuse_value(fault)
        return merged, self.block.name, warnings

    def _unpopulated(self, missing: frozenset[str]) -> Verdict:
        found = self.refusals.get(missing)
        if found is None:
            found = self._refuse(f"unpopulated links {_named(missing)}")
            if len(self.refusals) < _REMEMBERED:
                self.refusals[missing] = found
        return found

    def _refuse_value(self, reason: str) -> Verdict:
        refusal = self._refuse(reason)
        self.on_mismatch(refusal[1])
        return refusal

    def _refuse(self, reason: str) -> Verdict:
        return None, f"Input data missing or mismatch for `{self.block.name}`: {reason}", ()

    def _settled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The constants, scalars already converted where that loses nothing, so that no run does it again."""
        settled = dict(values)
        for test in self.tests:
            value = settled.get(test.name)
            if value is None or isinstance(value, CONTAINERS) or test.satisfied(value):
                continue
            try:
                converted, losses = convert_noting(value, test.annotation)
            except ConversionError:
                continue  # told when a run uses the constant
            if not losses and not isinstance(converted, CONTAINERS):
                settled[test.name] = converted
        return settled


class _PinTest:
    """`kind`: the class whose own instances fit at once; `sure`: what satisfies needs no further check."""

    __slots__ = ("annotation", "kind", "name", "satisfied", "sure")

    def __init__(self, pin: Pin) -> None:
        self.name = pin.name
        self.annotation = pin.type
        self.satisfied = satisfaction(pin.type)
        self.sure = is_plain(pin.annotation)
        self.kind = _kind(pin.type) if self.sure else None


def _kind(annotation: Any) -> Any:
    if (members := members_of(annotation)) is not None:
        others = [member for member in members if member is not NoneType]
        return _kind(others[0]) if len(others) == 1 else None
    annotation = bare(annotation)
    if annotation == list[Any]:
        return list
    return annotation if annotation in (str, int, float, bool, list, dict) else None


def _plain_first(values: Mapping[str, Any]) -> dict[str, Any]:
    """Constants have no order in time: a whole one does not undo the dynamic ones beside it."""
    return dict(sorted(values.items(), key=lambda item: split_pin(item[0]) is not None))


def _overlaid(defaults: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Data comes after the defaults, in its own order: later keys win over earlier ones."""
    merged = {name: value for name, value in defaults.items() if name not in data}
    merged.update(data)
    return merged


def _named(names: Iterable[str]) -> str:
    return "{" + ", ".join(repr(name) for name in sorted(names)) + "}"
