"""Size limits of template operations that can make much out of little."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from random import Random
from typing import Any, cast

from jinja2 import filters, pass_eval_context

from ._time_bound import tick

MAX_ITEMS = 10_000
"""Items of one `range()`, of one repetition, and the largest width, count or precision in a call."""

MAX_OPERAND = 1_000
MAX_TEXT = 16_000_000
_MAX_BITS = 100_000
_MAX_STEPS = 500_000

UNBOUNDED_METHODS = frozenset({"translate", "to_bytes", "expandtabs"})
_PADDING_METHODS = frozenset({"ljust", "rjust", "center", "zfill"})
_WIDE_PERCENT = re.compile(r"%[^a-zA-Z%]*(?:\d{5,}|\*)")
_WIDE_BRACES = re.compile(r"\{[^{}]*(?:\d{5,}|\{)")


def check_operands(operator: str, left: Any, right: Any) -> None:
    """Raises ValueError or OverflowError when the result would be too large to make."""
    if operator == "**":
        _check_power(left, right)
    elif operator == "*":
        _check_product(left, right)
    elif operator == "+":
        _check_sum(left, right)
    elif isinstance(left, str | bytes):
        _check_percent_format(left)


def checked_arguments(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """The same for a call: its arguments together, and what a method of a text would make of them."""
    check_weight([*args, *kwargs.values()])
    owner = getattr(function, "__self__", None)
    if not isinstance(owner, str | bytes):
        return args
    name = getattr(function, "__name__", "")
    if name in _PADDING_METHODS:
        _check_numbers(name, args, kwargs)
    elif name == "join" and args:
        return (_checked_items(args[0], len(owner)), *args[1:])
    elif name == "replace" and len(args) > 1:
        _check_replacement(owner, args[0], args[1])
    elif name in ("format", "format_map"):
        _check_brace_format(str(owner))
    return args


def check_weight(value: Any) -> None:
    """Raises ValueError for a container that is small in memory, because parts are shared, but endless when printed."""
    weight, steps, open_values = 0, 0, [value]
    while open_values:
        each = open_values.pop()
        steps += 1
        if not steps % 1_000:
            tick()
        if isinstance(each, str | bytes):
            weight += len(each)
        elif isinstance(each, dict):
            open_values.extend(each.keys())
            open_values.extend(each.values())
        elif isinstance(each, list | tuple | set | frozenset):
            open_values.extend(each)
        if weight > MAX_TEXT or steps > _MAX_STEPS or len(open_values) > _MAX_STEPS:
            raise ValueError(f"Value too large (max {MAX_TEXT} characters)")


def sum_of_lengths(texts: Iterable[Any], separator: int = 0) -> None:
    """Raises ValueError when the texts together are longer than a template may make."""
    total = 0
    for text in texts:
        total += len(text) + separator
        if total > MAX_TEXT:
            raise ValueError(f"Text too long (max {MAX_TEXT} characters)")


def joined(pieces: Iterable[str]) -> str:
    found: list[str] = []
    total = 0
    for piece in pieces:
        found.append(piece)
        total += len(piece)
        if total > MAX_TEXT:
            raise ValueError(f"Text too long (max {MAX_TEXT} characters)")
    return "".join(found)


def _check_power(left: Any, right: Any) -> None:
    if isinstance(right, int | float) and abs(right) > MAX_OPERAND:
        raise ValueError(f"Exponent too large (max {MAX_OPERAND})")
    if isinstance(left, int | float) and abs(left) > MAX_OPERAND:
        raise ValueError(f"Base too large for exponentiation (max {MAX_OPERAND})")


def _check_product(left: Any, right: Any) -> None:
    for items, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(items, str | bytes | list | tuple):
            if len(items) * times > MAX_ITEMS:
                raise ValueError(f"Sequence repeat too large (max {MAX_ITEMS} items)")
            check_weight([items] * max(times, 0))
    if (
        isinstance(left, int)
        and isinstance(right, int)
        and left.bit_length() + right.bit_length() > _MAX_BITS
    ):
        raise ValueError("Number too large")


def _check_sum(left: Any, right: Any) -> None:
    if hasattr(left, "__len__") and hasattr(right, "__len__"):
        check_weight((left, right))


def _check_percent_format(template: str | bytes) -> None:
    text = template if isinstance(template, str) else template.decode("latin-1")
    if _WIDE_PERCENT.search(text):
        raise ValueError(f"Format width too large (max {MAX_ITEMS - 1}) or computed")


def _check_brace_format(template: str) -> None:
    if _WIDE_BRACES.search(template):
        raise ValueError(f"Format width too large (max {MAX_ITEMS - 1}) or computed")


def _check_replacement(owner: Any, old: Any, new: Any) -> None:
    if isinstance(old, type(owner)) and hasattr(new, "__len__"):
        grown = len(owner) + owner.count(old) * (len(new) - len(old))
        if grown > MAX_TEXT:
            raise ValueError(f"Text too long (max {MAX_TEXT} characters)")


def _check_numbers(name: str, args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    for value in (*args, *kwargs.values()):
        if isinstance(value, int | float) and abs(value) > MAX_ITEMS:
            raise ValueError(f"{name}() number too large (max {MAX_ITEMS})")


def _bounded(name: str) -> Callable[..., Any]:
    """A standard filter that refuses large widths, counts and precisions."""
    original: Callable[..., Any] = filters.FILTERS[name]

    @wraps(original)
    def checked(value: Any, *args: Any, **kwargs: Any) -> Any:
        _check_numbers(name, args, kwargs)
        return original(value, *args, **kwargs)

    return checked


def _format(value: Any, spec: Any) -> str:
    text = str(spec)
    _check_percent_format(text)
    formatted: str = text % float(value)
    return formatted


def _checked_items(values: Iterable[Any], separator: int) -> list[Any]:
    items = list(values)
    check_weight(items)
    sum_of_lengths((item for item in items if isinstance(item, str | bytes)), separator)
    return items


@pass_eval_context
def _join(eval_ctx: Any, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    if attribute is not None:
        value = map(filters.make_attrgetter(eval_ctx.environment, attribute), value)
    items = _checked_items(value, len(str(d)))
    return cast("str", filters.do_join(eval_ctx, items, d))


@pass_eval_context
def _replace(eval_ctx: Any, s: Any, old: Any, new: Any, count: int | None = None) -> str:
    _check_replacement(str(s), str(old), str(new))
    replaced: str = filters.do_replace(eval_ctx, s, old, new, count)
    return replaced


def _indent(s: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    _check_numbers("indent", (width, len(width) if isinstance(width, str) else 0), {})
    grown = len(s) + (s.count("\n") + 1) * (width if isinstance(width, int) else len(width))
    if grown > MAX_TEXT:
        raise ValueError(f"Text too long (max {MAX_TEXT} characters)")
    return filters.do_indent(s, width, first, blank)


def _random(seq: Any) -> Any:
    """The same template over the same values always picks the same item: rendering must be repeatable."""
    items = list(seq)
    return Random(repr(items)).choice(items) if items else ""


def _weighed(original: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with a check of what it gives."""

    @wraps(original)
    def weighed(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if isinstance(result, list | tuple | dict):
            check_weight(result)
        return result

    return weighed


_LEFT_OUT = frozenset({"pprint", "tojson", "urlize", "xmlattr"})
_OWN: dict[str, Callable[..., Any]] = {
    **{name: _bounded(name) for name in ("center", "batch", "slice", "round", "wordwrap")},
    "format": _format,
    "join": _join,
    "replace": _replace,
    "indent": _indent,
    "random": _random,
}
TEMPLATE_FILTERS: dict[str, Callable[..., Any]] = {
    name: _weighed(_OWN.get(name) or cast("Callable[..., Any]", original))
    for name, original in filters.FILTERS.items()
    if name not in _LEFT_OUT
}
"""The filters of templates, by name."""
