"""Ids as people give them: whole, the beginning of one, or from stdin."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actbook.cli._problems import MissingError, UsageError

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.journal import Store

_SHOWN = 5


def ids_of(given: Sequence[str]) -> list[str]:
    """The ids of a command; `-` stands for those on stdin. Raises `UsageError` when there are none."""
    ids: list[str] = []
    for each in given:
        if each.startswith("-") and each != "-":
            raise UsageError(f"Unknown option: {each}. `--help` lists those there are.")
        ids.extend(sys.stdin.read().split() if each == "-" else [each])
    if not ids:
        raise UsageError("No id was given. Name one, or pipe some in: actbook ls -o ids | actbook VERB -")
    return ids


async def execution_id(engine: Engine, given: str, user: str | None = None) -> str:
    """The user's execution that an id, or its beginning, belongs to; without a user anybody's.

    Raises `MissingError` or `UsageError`.
    """
    store = engine.journal.store
    if (
        given
        and await engine.journal.head(given)
        and await asyncio.to_thread(is_execution, given, store, user)
    ):
        return given
    found = await asyncio.to_thread(_beginning_with, store, given, user) if given else []
    if given and not found:
        await asyncio.to_thread(_tell_if_archived, store, given, user)
    return one_of(given, found)


def _tell_if_archived(store: Store, given: str, user: str | None) -> None:
    from actbook.cli._archived import archived_beginning_with

    for each, where in archived_beginning_with(store, given, user).items():
        raise MissingError(f"Execution {each} was {where}. `actbook archive ls` lists the archives.", id=each)


def one_of(given: str, found: Sequence[str]) -> str:
    """The only one of the executions that were found for what was given. Raises `MissingError` or `UsageError`."""
    if not found:
        raise MissingError(
            f"There is no execution {given!r} in this store. `actbook ls` lists what there is.", id=given
        )
    if len(found) > 1:
        more = ", …" if len(found) > _SHOWN else ""
        shown = ", ".join(found[:_SHOWN]) + more
        raise UsageError(
            f"{given!r} begins the ids of several executions: {shown}. Give more of it.", ids=found
        )
    return found[0]


def _beginning_with(store: Store, prefix: str, user: str | None) -> list[str]:
    """Executions whose id begins so, one more than are shown at most."""
    found: list[str] = []
    after = _just_before(prefix)
    while len(found) <= _SHOWN:
        page = store.stream_ids(after, 100)
        fitting = [stream for stream in page if stream.startswith(prefix)]
        found.extend(stream for stream in fitting if is_execution(stream, store, user))
        if len(fitting) < len(page) and page[-1] > prefix and not page[-1].startswith(prefix):
            break
        if len(page) < 100:
            break
        after = page[-1]
    return found[: _SHOWN + 1]


def _just_before(prefix: str) -> str:
    last = ord(prefix[-1])
    return prefix[:-1] + (chr(last - 1) + "\U0010ffff" if last else "")


def is_execution(stream: str, store: Store, user: str | None) -> bool:
    """Whether a stream is an execution, and the user's. Blocks."""
    if ":" in stream:
        return False
    return user is None or [event.user_id for event in store.read_stream(stream, 0, 1)] == [user]
