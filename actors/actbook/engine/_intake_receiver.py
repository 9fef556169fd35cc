"""From messages to engine calls: what a run or cancel message of a broker means, and who may send it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from actbook.actors import wall_clock
from actbook.bridge import Cancellation, MessageRefusedError, NotNowError, RefusalReason, Submission, Submit
from actbook.engine._admitting import execution_id_of
from actbook.engine._errors import (
    EngineClosedError,
    GraphValidationError,
    IdempotencyKeyError,
    NotFoundError,
)
from actbook.engine._intake_places import Places
from actbook.engine._revival import OPERATOR
from actbook.engine.credentials import CredentialsStoreError
from actbook.events import (
    Append,
    CancelRequested,
    Draft,
    ExecutionCreated,
    GraphExecution,
    Settings,
    inbox_of,
)
from actbook.journal import JournalError, UnencodableError

if TYPE_CHECKING:
    from actbook.engine._engine import Engine

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_USER_LIMIT = 256
_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Seconds. What is unknown after that stays so."""

_NOT_NOW = (JournalError, CredentialsStoreError, EngineClosedError, OSError)
"""What is nobody's fault who sent a message."""


class EngineReceiver:
    """Records what messages ask for, in one engine. Implements the bridge's `Receiver`."""

    def __init__(self, engine: Engine, places: Places) -> None:
        self._engine = engine
        self._host = engine._host  # noqa: SLF001
        self._places = places
        self._current: dict[str, asyncio.Event] = {}

    def places(self) -> int:
        return self._places.free if self._host.is_owner and not self._host.closed else 0

    def answers(self) -> bool:
        return self._host.is_owner or self._host.owner is None

    async def submission(self, submission: Submission) -> bool:
        entry = submission.entry
        _check_entry(entry)
        execution_id = entry.graph_exec_id or execution_id_of(entry.user_id, submission.key)
        async with self._one_by_one(execution_id):
            try:
                return await self._submit(execution_id, submission)
            except MessageRefusedError:
                raise
            except (UnencodableError, IdempotencyKeyError, NotFoundError) as error:
                raise _refusal(error) from error
            except _NOT_NOW as error:
                raise NotNowError(str(error) or type(error).__name__) from error
            except ValueError as error:
                raise _refusal(error) from error

    async def _submit(self, execution_id: str, submission: Submission) -> bool:
        taken = self._places.take(execution_id)
        begun = False
        try:
            recorded = await self._recorded(execution_id)
            if recorded is None:
                await self._create(execution_id, submission)
                begun = True
                return True
            begun = await self._look_at(execution_id, recorded, submission)
            return False
        finally:
            if taken and not begun:
                self._places.left(execution_id)

    @asynccontextmanager
    async def _one_by_one(self, execution_id: str) -> AsyncIterator[None]:
        """Copies of a message that come at the same time wait for the first one."""
        while execution_id in self._current:
            await self._current[execution_id].wait()
        done = self._current[execution_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._current[execution_id]
            done.set()

    async def _recorded(self, execution_id: str) -> ExecutionCreated | None:
        """How an execution of that id began."""
        if not await self._host.journal.head(execution_id):
            return None
        [first] = await self._host.journal.read_stream(execution_id, 0, 1)
        if not isinstance(first.payload, ExecutionCreated):
            raise MessageRefusedError(RefusalReason.CONFLICTING, f"{execution_id!r} names no execution.")
        return first.payload

    async def _look_at(self, execution_id: str, recorded: ExecutionCreated, submission: Submission) -> bool:
        """The message repeats itself, or is a hint. Whoever runs the execution looks whether there is something to do."""
        _check_same(execution_id, recorded, submission)
        if not await self._host.journal.unfinished([execution_id]):
            return False
        if not self._host.is_owner:
            return False
        idle = self._host.system.find(execution_id) is None
        self._host.executions.notify(execution_id)
        return idle

    async def _create(self, execution_id: str, submission: Submission) -> None:
        entry, engine = submission.entry, self._engine
        if not entry.graph_id:
            raise MessageRefusedError(RefusalReason.UNKNOWN, f"There is no execution {execution_id!r}.")
        version = entry.graph_version or None
        plan, create = await engine._request(  # noqa: SLF001
            entry.graph_id,
            entry.user_id,
            entry.inputs,
            graph_version=version,
            nodes_input_masks=entry.nodes_input_masks,
            settings=_settings(entry),
            idempotency_key=submission.key or entry.graph_exec_id,
        )
        skip = tuple(sorted({*create.skip, *(node for node in entry.nodes_to_skip if node in plan.nodes)}))
        create = msgspec.structs.replace(create, execution_id=execution_id, skip=skip)
        state = await engine._accept(plan, create, version)  # noqa: SLF001
        if state.user_id != entry.user_id:
            raise _wrong_user(execution_id, entry.user_id)

    async def cancellation(self, cancellation: Cancellation) -> bool:
        event = cancellation.event
        if not _ID.fullmatch(event.graph_exec_id):
            raise MessageRefusedError(RefusalReason.MALFORMED, "Its graph_exec_id is no id.")
        # Its run message may be on its way: queues don't wait for each other.
        for pause in (*_PAUSES, 0.0):
            try:
                return await self._cancel(cancellation)
            except MessageRefusedError as refusal:
                if refusal.reason != RefusalReason.UNKNOWN or not pause:
                    raise
            except _NOT_NOW as error:
                raise NotNowError(str(error)) from error
            await asyncio.sleep(pause)
        return False

    async def _cancel(self, cancellation: Cancellation) -> bool:
        event, host = cancellation.event, self._host
        if host.closed:
            raise EngineClosedError
        state = await host.executions.state(event.graph_exec_id)
        if state is None or not state.id:
            raise MessageRefusedError(
                RefusalReason.UNKNOWN, f"There is no execution {event.graph_exec_id!r}."
            )
        if event.actor and event.actor != state.user_id:
            detail = f"{event.actor[:80]!r} may not stop execution {state.id!r}."
            raise MessageRefusedError(RefusalReason.WRONG_USER, detail)
        if state.status.is_terminal and not await host.executions.is_reviving(state):
            return False
        if not cancellation.key and await self._is_asked(state):
            return False
        request = CancelRequested(
            event.actor or OPERATOR, event.reason or "Stopped by message", event.cascade
        )
        draft = Draft(request, wall_clock(), event_id=_event_id(cancellation))
        append = Append(inbox_of(state.id), None, [draft], state.user_id, state.correlation_id)
        answer = await host.journal.append(append)
        host.executions.notify(state.id, urgent=True)
        return not answer.duplicate

    async def _is_asked(self, state: GraphExecution) -> bool:
        """Whether somebody asked for the same, most likely another worker that got the same message."""
        if state.stopping is not None:
            return True
        news = await self._host.journal.read_stream(inbox_of(state.id), state.inbox_version)
        return any(isinstance(each.payload, CancelRequested) for each in news)


def _check_entry(entry: Submit) -> None:
    """What can be said without the store."""
    if entry.graph_exec_id and not _ID.fullmatch(entry.graph_exec_id):
        raise MessageRefusedError(
            RefusalReason.MALFORMED, "Its graph_exec_id is no id: up to 64 letters, digits, - and _."
        )
    if len(entry.user_id) > _USER_LIMIT or entry.graph_version < 0:
        raise MessageRefusedError(RefusalReason.MALFORMED, "Its user_id or graph_version can't be one.")
    context = entry.execution_context
    if context.user_id not in ("", entry.user_id):
        raise _wrong_user(entry.graph_exec_id, entry.user_id)
    for name in ("graph_exec_id", "graph_id"):
        said = getattr(context, name)
        if said and getattr(entry, name) and said != getattr(entry, name):
            raise MessageRefusedError(
                RefusalReason.CONFLICTING, f"Its {name} is not that of its execution_context."
            )


def _check_same(execution_id: str, recorded: ExecutionCreated, submission: Submission) -> None:
    """Raises `MessageRefusedError` when the execution was asked for by somebody else, or with something else."""
    entry = submission.entry
    if recorded.user_id != entry.user_id:
        raise _wrong_user(execution_id, entry.user_id)
    compared = {
        "graph": not entry.graph_id or entry.graph_id == recorded.graph_id,
        "graph version": not entry.graph_version or entry.graph_version == recorded.graph_version,
        "inputs": not entry.inputs or entry.inputs == recorded.inputs,
        "node masks": all(
            pin in recorded.masks.get(node, {}) and recorded.masks[node][pin] == value
            for node, pins in (entry.nodes_input_masks or {}).items()
            for pin, value in pins.items()
        ),
    }
    different = [name for name, same in compared.items() if not same]
    if different:
        raise MessageRefusedError(
            RefusalReason.CONFLICTING,
            f"Execution {execution_id!r} was asked for with another {' and another '.join(different)}.",
        )


def _settings(entry: Submit) -> Settings:
    context = entry.execution_context
    return Settings(
        human_in_the_loop_safe_mode=context.human_in_the_loop_safe_mode,
        sensitive_action_safe_mode=context.sensitive_action_safe_mode,
        dry_run=context.dry_run,
        user_timezone=context.user_timezone,
    )


def _wrong_user(execution_id: str, user_id: str) -> MessageRefusedError:
    return MessageRefusedError(
        RefusalReason.WRONG_USER, f"Execution {execution_id!r} is not one of user {user_id[:80]!r}."
    )


def _refusal(error: Exception) -> MessageRefusedError:
    detail = " ".join(str(error).split())[:1000]
    if isinstance(error, GraphValidationError):
        faults = (
            f"{node}, {pin}: {text}" for node, pins in error.node_errors.items() for pin, text in pins.items()
        )
        detail = f"{detail}: {'; '.join(faults)}"[:1000]
    if isinstance(error, IdempotencyKeyError):
        return MessageRefusedError(RefusalReason.CONFLICTING, detail)
    if isinstance(error, NotFoundError):
        return MessageRefusedError(RefusalReason.UNKNOWN, detail)
    return MessageRefusedError(RefusalReason.INVALID, detail)


def _event_id(cancellation: Cancellation) -> bytes:
    """The same for every worker that gets the message, so that the request is recorded once. Empty without a message id."""
    if not cancellation.key:
        return b""
    text = f"{cancellation.event.graph_exec_id}\n{cancellation.key}"
    digest = bytearray(sha256(text.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)
