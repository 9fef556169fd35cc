"""`actbook worker`."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, PATIENCE, Broker, Bus, Options, Patience

if TYPE_CHECKING:
    from actbook.engine import Engine

EVERY = "ACTBOOK_CHECKPOINT_EVERY"


def worker(
    *,
    until_idle: Annotated[bool, Parameter(negative=())] = False,
    broker: Broker = "",
    bus: Bus = "",
    patience: Patience = PATIENCE,
    options: Options = DEFAULTS,
) -> int:
    """Runs whatever is unfinished in the store, and what others hand over, until it is ended.

    If another process runs the store, this one stands by and takes over when that one is gone. SIGTERM and
    Ctrl-C let bodies finish for a moment; what is interrupted goes on in the next worker.

    Parameters
    ----------
    until_idle
        End when nothing is unfinished but what waits for a person.
    """
    from actbook.cli._session import run_async

    return run_async(_worker(until_idle, broker, bus, 0.0 if until_idle else patience, options))


async def _worker(until_idle: bool, broker: str, bus: str, patience: float, options: Options) -> ExitCode:
    from actbook.cli._printing import note
    from actbook.cli._services import enter_when_there, first_of
    from actbook.cli._session import on_signal, opened

    ended = asyncio.Event()
    settings = {"broker": broker or None, "bus": bus or None, **_checkpoint_settings()}
    with on_signal(signal.SIGTERM, ended.set), on_signal(signal.SIGINT, ended.set):
        async with AsyncExitStack() as stack:
            engine = await enter_when_there(
                stack, lambda: opened(options.store, **settings), patience, ended, options
            )
            if engine is None:
                return ExitCode.OK
            await _tell_place(engine, options)
            await _tell_broker(engine, options)
            await first_of(ended.wait(), *([_idle(engine)] if until_idle else []))
            if ended.is_set():
                note("Ending in order …", options.output)
    return ExitCode.OK


def _checkpoint_settings() -> dict[str, Any]:
    """Signs what is recorded when the environment says how often. Raises `UsageError` or `SigningKeyError`."""
    given = os.environ.get(EVERY, "")
    if not given:
        return {}
    from actbook.cli._commands.prove import key_of
    from actbook.cli._problems import UsageError
    from actbook.engine import CheckpointPolicy

    if not given.isdecimal() or int(given) < 1:
        raise UsageError(f"{EVERY}={given!r} is no number of seconds. Give one from 1 on.")
    return {"checkpoints": CheckpointPolicy(key=key_of(None), every=float(given))}


async def _tell_place(engine: Engine, options: Options) -> None:
    from actbook.cli._printing import note
    from actbook.journal import redacted_url

    unfinished = len(await engine.journal.unfinished())
    if engine.is_owner:
        note(f"Running {redacted_url(options.store)}: {unfinished} unfinished executions.", options.output)
        return
    owner = engine.owner
    who = f"Process {owner.pid}" if owner is not None else "Another process"
    note(f"{who} runs {redacted_url(options.store)}; standing by.", options.output)


async def _tell_broker(engine: Engine, options: Options) -> None:
    """It may come later: nobody waits for it."""
    from actbook.cli._printing import note

    if engine.intake is None:
        return
    rabbit = engine.intake.rabbit
    if await rabbit.wait(2):
        note("Taking messages from the broker.", options.output)
    else:
        failure = rabbit.failure or "it does not answer"
        note(f"The broker is not available: {failure}. It is tried again until it is.", options.output)


_REFUSED = ("refused", "already")
"""How outcomes begin after which an execution stays over."""


async def _idle(engine: Engine) -> None:
    """Returns when nothing is unfinished but what waits for a person. Looks again when an execution ended or parked."""
    from actbook.events import (
        ExecutionCompleted,
        ExecutionFailed,
        ExecutionParked,
        ExecutionTerminated,
        InboxHandled,
    )

    kinds = (ExecutionCompleted, ExecutionFailed, ExecutionTerminated, ExecutionParked, InboxHandled)
    ends = [kind.TOPIC for kind in kinds]
    events = engine.journal.subscribe(await engine.journal.last_position(), ends)
    try:
        if await _only_waits(engine):
            return
        async for event in events:
            if isinstance(event.payload, InboxHandled) and not event.payload.outcome.startswith(_REFUSED):
                continue
            if await _only_waits(engine):
                return
    finally:
        await events.aclose()


async def _only_waits(engine: Engine) -> bool:
    waiting: set[str] = set()
    for execution_id in reversed(await engine.journal.unfinished()):
        if not await _waits(engine, execution_id, waiting):
            return False
        waiting.add(execution_id)
    return True


async def _waits(engine: Engine, execution_id: str, waiting: set[str]) -> bool:
    """For a person, or for sub-graphs that all do. `waiting`: younger executions that are known to."""
    from actbook.events import ExecutionStatus, ResumeRequested, RetryRequested, inbox_of

    state = await engine.get_graph_execution(execution_id)
    news = await engine.journal.read_stream(inbox_of(execution_id), state.inbox_version)
    if state.status.is_terminal:
        return not any(isinstance(each.payload, ResumeRequested | RetryRequested) for each in news)
    if news or state.status is ExecutionStatus.REVIEW:
        return not news
    running = [state.node_executions[number] for number in state.running]
    if not running or state.ready:
        return False
    for node in running:
        # A sub-graph that waits for a person is not listed as unfinished.
        if node.child_id not in waiting and not (
            node.child_id and await _waits(engine, node.child_id, waiting)
        ):
            return False
    return True
