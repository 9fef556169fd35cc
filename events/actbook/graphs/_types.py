"""Which values satisfy a Python annotation, decided without changing them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

Test = Callable[[Any], bool]

CONTAINERS = (list, dict, set, tuple)
_PLAIN = (Any, str, int, float, bool, list, dict, set, tuple, None, NoneType)


def bare(annotation: Any) -> Any:
    """Without `Annotated`, `NewType`, type aliases and type variables around it."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        elif isinstance(annotation, TypeVar) or annotation is object:
            return Any
        else:
            return NoneType if annotation is None else annotation


def members_of(annotation: Any) -> tuple[Any, ...] | None:
    """The members of a union, or None."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else None


def is_plain(annotation: Any) -> bool:
    """Made of simple types without bounds: whatever satisfies it needs no further check."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return not any(map(_is_bound, metadata)) and is_plain(inner)
    args = get_args(annotation)
    if members_of(annotation) is not None or get_origin(annotation) in CONTAINERS:
        return all(arg is Ellipsis or arg == () or is_plain(arg) for arg in args)
    return annotation in _PLAIN or get_origin(annotation) is Literal


def _is_bound(meta: Any) -> bool:
    bounds = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")
    return any(getattr(meta, bound, None) is not None for bound in bounds)


def satisfies(value: Any, annotation: Any) -> bool:
    """A bool is no int, an int no float: only the declared type itself counts, in containers too."""
    return satisfaction(annotation)(value)


def satisfaction(annotation: Any) -> Test:
    try:
        return _cached(annotation)
    except TypeError:  # metadata that cannot be hashed
        return _build(annotation)


@lru_cache(maxsize=4096, typed=True)
def _cached(annotation: Any) -> Test:
    return _build(annotation)


def _build(annotation: Any) -> Test:
    annotation = bare(annotation)
    if annotation is Any:
        return _always
    if (members := members_of(annotation)) is not None:
        return _any_of(tuple(satisfaction(member) for member in members))
    origin = get_origin(annotation) or annotation
    if origin is Literal:
        return _one_of(get_args(annotation))
    if origin in CONTAINERS:
        return _container(origin, get_args(annotation))
    if origin is float:
        return lambda value: type(value) is float  # msgspec takes no subclasses either
    if origin is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool | Enum)
    return _instance_of(origin)


def _always(value: Any) -> bool:
    return True


def _instance_of(kind: Any) -> Test:
    def test(value: Any) -> bool:
        try:
            return isinstance(value, kind)
        except TypeError:  # not a class: nothing can be said about it
            return True

    return test


def _any_of(tests: tuple[Test, ...]) -> Test:
    return lambda value: any(test(value) for test in tests)


def _one_of(choices: tuple[Any, ...]) -> Test:
    return lambda value: any(type(value) is type(choice) and value == choice for choice in choices)


def _container(origin: type, args: tuple[Any, ...]) -> Test:
    if origin is tuple:
        return _tuple_of(args)
    if not args or all(bare(arg) is Any for arg in args):
        return _instance_of(origin)
    if origin is dict:
        keys, values = satisfaction(args[0]), satisfaction(args[1])
        return lambda value: (
            isinstance(value, dict) and all(keys(key) and values(item) for key, item in value.items())
        )
    each = satisfaction(args[0])
    kind: type[Any] = origin
    return lambda value: isinstance(value, kind) and all(map(each, value))


def _tuple_of(args: tuple[Any, ...]) -> Test:
    if not args:
        return _instance_of(tuple)
    if len(args) == 2 and args[1] is Ellipsis:
        each = satisfaction(args[0])
        return lambda value: isinstance(value, tuple) and all(map(each, value))
    tests = [] if args == ((),) else [satisfaction(arg) for arg in args]
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(tests)
        and all(test(item) for test, item in zip(tests, value, strict=True))
    )
