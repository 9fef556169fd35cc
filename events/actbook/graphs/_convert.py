"""Conversion of values to the declared type of a pin."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import msgspec

from ._containers import to_dict, to_list, to_set, to_tuple
from ._errors import ActbookError
from ._scalars import to_bool, to_float, to_int, to_text
from ._types import CONTAINERS, bare, members_of, satisfies

_SHOWN = 200


class ConversionError(ActbookError, ValueError):
    """A value cannot become the type. `value` and `target` are the two."""

    def __init__(self, value: Any, target: Any) -> None:
        super().__init__(f"Failed to convert {shown(value)} to {target}")
        self.value = value
        self.target = target


def convert(value: Any, type: Any, mode: Literal["compat", "strict"] = "compat") -> Any:  # noqa: A002
    """The value as `type`, a class or any typing annotation; a value that satisfies it comes back as it is.

    Never changes the value. `strict` converts nothing: TypeError when the value does not satisfy the type.
    `compat` raises ConversionError for unknown enum values, infinities and numbers beyond 64 bits as int, and what JSON or a set
    cannot hold.
    """
    if mode == "strict":
        if not satisfies(value, type):
            raise TypeError(f"Value {shown(value)} is not of expected type {type}")
        return value
    if mode != "compat":
        raise ValueError(f"mode must be 'compat' or 'strict', not {mode!r}")
    return convert_noting(value, type)[0]


def convert_noting(value: Any, type: Any) -> tuple[Any, list[str]]:  # noqa: A002
    """`convert` in compat mode, with one text for each step that lost something."""
    losses: list[str] = []
    try:
        return _convert(value, type, losses), losses
    except RecursionError as error:
        raise ConversionError("a value nested too deeply", type) from error


def shown(value: Any, form: Callable[[Any], str] = str) -> str:
    """The value as a message shows it: not longer than a line or two."""
    try:
        text = form(value)
    except Exception as error:  # a value's own __str__ may do anything
        text = f"<{type(value).__name__}: {type(error).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _convert(value: Any, annotation: Any, losses: list[str]) -> Any:
    if satisfies(value, annotation):
        return value
    annotation = bare(annotation)
    if (members := members_of(annotation)) is not None:
        return _to_member(value, annotation, members, losses)
    origin = get_origin(annotation) or annotation
    if origin in CONTAINERS:
        return _to_container(value, annotation, origin, losses)
    if isinstance(origin, type) and issubclass(origin, Enum):
        return _to_enum(value, origin)
    simple = _SCALARS.get(origin)
    if simple is None:
        return value
    return _attempt(simple, value, annotation, losses)


_SCALARS: dict[Any, Callable[[Any, Callable[[], None]], Any]] = {
    int: to_int,
    float: to_float,
    bool: to_bool,
    str: to_text,
}


def _attempt(
    step: Callable[[Any, Callable[[], None]], Any], value: Any, annotation: Any, losses: list[str]
) -> Any:
    lost: list[bool] = []
    try:
        result = step(value, lambda: lost.append(True))
    except (OverflowError, TypeError, ValueError) as error:
        raise ConversionError(value, annotation) from error
    if lost:
        losses.append(f"{shown(value, repr)} became {shown(result, repr)}")
    return result


def _to_enum(value: Any, target: type[Enum]) -> Enum:
    try:
        return target(value)
    except (ValueError, TypeError, KeyError) as error:
        raise ConversionError(value, target) from error


def _to_member(value: Any, annotation: Any, members: tuple[Any, ...], losses: list[str]) -> Any:
    """The first member that takes the value without loss, else the first that takes it at all."""
    left_alone = [member for member in members if not _converts(member)]
    if any(_fits(value, member) for member in left_alone):
        return value
    lossy: list[tuple[Any, list[str]]] = []
    candidates = [member for member in members if _converts(member)]
    for member in candidates:
        lost: list[str] = []
        try:
            converted = _convert(value, member, lost)
        except ConversionError:
            if len(candidates) == 1:
                raise
            continue
        if not lost:
            return converted
        lossy.append((converted, lost))
    if lossy:
        losses.extend(lossy[0][1])
        return lossy[0][0]
    if candidates:
        raise ConversionError(value, annotation)
    return value


def _converts(annotation: Any) -> bool:
    annotation = bare(annotation)
    origin = get_origin(annotation) or annotation
    if origin in CONTAINERS or origin in _SCALARS or members_of(annotation) is not None:
        return True
    return isinstance(origin, type) and issubclass(origin, Enum)


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a plain value is the written form of a type that conversion leaves alone (a struct, a date)."""
    if value is None:
        return False
    try:
        msgspec.convert(value, annotation)
    except (msgspec.ValidationError, TypeError, RecursionError):
        return False
    return True


def _to_container(value: Any, annotation: Any, origin: type, losses: list[str]) -> Any:
    args = get_args(annotation)
    whole: Any = value if isinstance(value, origin) else _reshape(value, annotation, origin, losses)
    if not args:
        return whole
    if origin is dict:
        return _fill_dict(whole, args, annotation, losses)
    if origin is tuple:
        return _fill_tuple(whole, args, annotation, losses)
    items = [_convert(item, args[0], losses) for item in whole]
    if origin is set:
        return _attempt(to_set, items, annotation, losses)
    return items


def _reshape(value: Any, annotation: Any, origin: type, losses: list[str]) -> Any:
    try:
        if origin is list:
            return to_list(value)
        if origin is dict:
            return to_dict(value)
    except OverflowError as error:
        raise ConversionError(value, annotation) from error
    if origin is tuple:
        return to_tuple(value)
    return _attempt(to_set, value, annotation, losses)


def _fill_dict(whole: dict[Any, Any], args: tuple[Any, ...], annotation: Any, losses: list[str]) -> Any:
    key_type, item_type = args
    try:
        filled = {
            _convert(key, key_type, losses): _convert(item, item_type, losses) for key, item in whole.items()
        }
    except TypeError as error:
        raise ConversionError(whole, annotation) from error
    if len(filled) != len(whole):
        losses.append(f"{len(whole) - len(filled)} keys of {shown(whole, repr)} became equal")
    return filled


def _fill_tuple(
    whole: tuple[Any, ...], args: tuple[Any, ...], annotation: Any, losses: list[str]
) -> tuple[Any, ...]:
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_convert(item, args[0], losses) for item in whole)
    wanted = () if args == ((),) else args
    if len(whole) < len(wanted):
        raise ConversionError(whole, annotation)
    if len(whole) > len(wanted):
        losses.append(f"{shown(whole, repr)} was cut to {len(wanted)} elements")
    return tuple(_convert(item, each, losses) for item, each in zip(whole, wanted, strict=False))
