"""Every error that the project raises on purpose, found in the code."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import textwrap
from importlib import import_module

import actbook
from actbook.graphs import ActbookError

DOORS = tuple(
    f"actbook.{name}"
    for name in (
        "engine",
        "engine.credentials",
        "bridge",
        "graphs",
        "events",
        "journal",
        "blocks",
        "blocks.testing",
        "projections",
        "actors",
        "replay",
        "replay.export",
    )
)


def all_errors() -> list[type[ActbookError]]:
    """All subclasses, after every module was imported."""
    for module in pkgutil.walk_packages(actbook.__path__, "actbook."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return sorted(_below(ActbookError), key=lambda error: error.__name__)


def _below(error: type[ActbookError]) -> set[type[ActbookError]]:
    children = set(error.__subclasses__())
    return children.union(*map(_below, children)) if children else children


def door_of(error: type[ActbookError]) -> str:
    """The public package that offers it; empty when none does."""
    return next((door for door in DOORS if getattr(import_module(door), error.__name__, None) is error), "")


def bases_of(error: type[ActbookError]) -> str:
    """Names of the bases, without the one that all share."""
    return ", ".join(base.__name__ for base in error.__bases__ if base is not ActbookError)


def attributes_of(error: type[ActbookError]) -> str:
    """Names of the attributes that hold its data, inherited ones included."""
    names: dict[str, None] = {}
    for cls in reversed(error.__mro__):
        if issubclass(cls, ActbookError) and "__init__" in vars(cls):
            names.update(dict.fromkeys(_assigned(cls)))
    return ", ".join(names)


def _assigned(cls: type) -> list[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    targets = (target for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets)
    return [
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    ]
