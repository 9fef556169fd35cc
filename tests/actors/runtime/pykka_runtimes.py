"""Our runtimes as entries of the runtime table of pykka's own test suite; imported by its patched
conftest."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from actbook.actors._runtime import Actor, ActorSystem, Future, LoopDispatcher, PoolDispatcher


class LoopActor(Actor):
    default_system = ActorSystem(LoopDispatcher())


class PoolActor(Actor):
    default_system = ActorSystem(PoolDispatcher(4))


def ours(table: dict[str, Any]) -> list[Any]:
    """The entries that replace pykka's thread per actor."""
    threading_runtime = table["threading"].values[0]
    classes = {"loop": LoopActor, "pool": PoolActor}
    return [
        pytest.param(
            dataclasses.replace(threading_runtime, name=name, actor_class=actor_class, future_class=Future),
            id=name,
        )
        for name, actor_class in classes.items()
    ]
