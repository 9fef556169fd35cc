"""Blocks that behave well and badly, and a sink that keeps what it hears."""

from __future__ import annotations

import asyncio
import ctypes
import enum
import os
import re
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec

from actbook.actors._bodies import Bodies, Body, Capacity, Outcome
from actbook.graphs import Block, BlockType, ExecutionContext, Execution

Yields = AsyncIterator[tuple[str, Any]]
Plain = Iterator[tuple[str, Any]]


class Sink:
    """Keeps everything in order. `done` is set at the end; `heard` counts calls."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, Any]]] = []
        self.outcomes: list[Outcome] = []
        self.ended = asyncio.Event()
        self.first = asyncio.Event()

    def outputs(self, items: list[tuple[str, Any]]) -> None:
        assert not self.outcomes
        assert items
        self.batches.append(items)
        self.first.set()

    def finished(self, items: list[tuple[str, Any]], outcome: Outcome) -> None:
        self.last = items
        self.outcomes.append(outcome)
        self.ended.set()
        self.first.set()

    @property
    def outcome(self) -> Outcome:
        assert len(self.outcomes) == 1
        return self.outcomes[0]

    @property
    def values(self) -> list[tuple[str, Any]]:
        return [item for batch in [*self.batches, self.last] for item in batch]


class AnyInput(msgspec.Struct):
    value: Any = None


class AnyOutput(msgspec.Struct):
    out: Any
    error: str = ""


def block_of(run: Callable[..., Any], execution: Execution = "async", **attributes: Any) -> Block:
    """An instance of a new STANDARD block class around a `run(self, input, context)` function."""
    body = {"id": str(uuid.uuid4()), "Input": AnyInput, "Output": AnyOutput, "execution": execution, "run": run}
    made: type[Block] = type(f"{run.__name__.title()}Block", (Block,), body | attributes)
    return made()
