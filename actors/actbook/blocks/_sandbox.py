"""The sandbox of text templates: no access to the machine, bounded time, bounded sizes.

Importing this module loads Jinja2. Time is checked at every loop step, call and intercepted operator;
everything that could grow by more than its operands is checked for size first, because one such operation
cannot be interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes, pass_context
from jinja2.runtime import Context, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from ._growth import (
    MAX_ITEMS,
    TEMPLATE_FILTERS,
    UNBOUNDED_METHODS,
    check_operands,
    check_weight,
    checked_arguments,
    joined,
    sum_of_lengths,
)
from ._time_bound import TimeBoundError, deadline_in, tick

_STEPS, _JOINED, _WEIGHED = "step wise", "concat enated", "in limits"
"""Filters of ours: no template can write their names, which hold a blank."""


def render_within(template: str, values: Mapping[str, Any], *, escape_html: bool, seconds: float) -> str:
    """Raises `TimeBoundError` after `seconds`, ValueError with the engine's text for every other failure."""
    try:
        compiled = _compiled(template, escape_html)
        with deadline_in(seconds):
            return compiled.render(values)
    except TimeBoundError:
        raise
    except RecursionError:
        raise ValueError("Template is nested too deeply") from None
    except Exception as error:
        raise ValueError(str(error) or type(error).__name__) from None


@lru_cache(maxsize=256)
def _compiled(template: str, escape_html: bool) -> jinja2.Template:
    return _environment(escape_html).from_string(template)


@lru_cache(maxsize=2)
def _environment(escape_html: bool) -> _Sandbox:
    return _Sandbox(autoescape=escape_html)


def _range(*args: int) -> range:
    items = range(*args)
    if len(items) > MAX_ITEMS:
        raise OverflowError(f"range() too large ({len(items)} items, max {MAX_ITEMS})")
    return items


@pass_context
def _stepwise(context: Context, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        tick()
        yield item


@pass_context
def _concatenated(context: Context, parts: list[Any]) -> str:
    check_weight(parts)
    texts = [part if isinstance(part, str) else str(part) for part in parts]
    sum_of_lengths(texts)
    return markup_join(parts) if context.eval_ctx.autoescape else str_join(texts)


@pass_context
def _weighed(context: Context, value: Any) -> Any:
    check_weight(value)
    return value


def _ticking(pieces: Iterable[str]) -> Iterator[str]:
    for piece in pieces:
        tick()
        yield piece


def _concat(pieces: Iterable[str]) -> str:
    return joined(_ticking(pieces))


class _Checked(NodeTransformer):
    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _STEPS)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _WEIGHED) if node.items else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _WEIGHED) if node.items else node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _WEIGHED) if node.ctx == "load" and node.items else node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _JOINED)


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "**", "%"})
    concat = staticmethod(_concat)

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(autoescape=autoescape)
        self.globals = {"range": _range}
        self.filters = {**TEMPLATE_FILTERS, _STEPS: _stepwise, _JOINED: _concatenated, _WEIGHED: _weighed}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Leads loops, `~` and literals through our checks."""
        tree = super()._parse(source, name, filename)
        checked: nodes.Template = _Checked().visit(tree)
        return checked.set_environment(self)  # type: ignore[return-value]

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in UNBOUNDED_METHODS and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        tick()
        check_operands(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        tick()
        checked = checked_arguments(function, args, kwargs)
        return super().call(context, function, *checked, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        formatting = super().wrap_str_format(value)
        if formatting is None:
            return None
        safe: Callable[..., str] = formatting

        def bounded(*args: Any, **kwargs: Any) -> str:
            return safe(*checked_arguments(value, args, kwargs), **kwargs)

        return bounded
