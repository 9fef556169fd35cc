"""`actbook dead …`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Broker, Id, Options

if TYPE_CHECKING:
    from actbook.bridge.rabbitmq import DeadLetter


def ls(*, limit: int = 1000, broker: Broker = "", options: Options = DEFAULTS) -> int:
    """Lists messages that no worker could handle, oldest first, each with its reason.

    Parameters
    ----------
    limit
        How many at most.
    """
    from actbook.cli._letters import check_limit, print_letters
    from actbook.cli._session import run_async

    found = run_async(_first(check_limit(limit), _url(broker), options.user))
    print_letters(found, options)
    return ExitCode.OK


def show(*ids: Id, broker: Broker = "", options: Options = DEFAULTS) -> int:
    """Shows such messages whole: what happened, their headers, what they say.

    Parameters
    ----------
    ids
        Ids of `dead ls`, or the beginnings of them; - reads them from stdin.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._letters import print_whole
    from actbook.cli._session import run_async

    print_whole(run_async(_find(ids_of(ids), _url(broker), options.user)), options)
    return ExitCode.OK


def retry(
    *ids: Id,
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
    broker: Broker = "",
    options: Options = DEFAULTS,
) -> int:
    """Sends such messages back to where they came from, once what was wrong is put right.

    A message that still can't be handled comes back, and counts how often it was sent.

    Parameters
    ----------
    ids
        Ids of `dead ls`, or the beginnings of them; - reads them from stdin.
    all_
        All that are there now.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._letters import print_letters
    from actbook.cli._printing import note
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    if all_ and ids:
        raise UsageError("Name ids, or say --all: one of them.")
    named = None if all_ else ids_of(ids)
    sent = run_async(_retry(named, _url(broker), options.user))
    note(f"Sent back: {len(sent)}.", options.output)
    print_letters(sent, options)
    return ExitCode.OK


def _url(broker: str) -> str:
    """Raises `UsageError` when none is named, or `BusUrlError`."""
    from actbook.bridge.rabbitmq import checked_url
    from actbook.cli._problems import UsageError

    if not broker:
        raise UsageError("Name the broker with --broker amqp://… or ACTBOOK_BROKER.")
    return checked_url(broker)


async def _first(limit: int, url: str, user: str | None) -> list[DeadLetter]:
    from actbook.bridge.rabbitmq import DeadLetters
    from actbook.cli._letters import belongs

    return [letter for letter in await DeadLetters(url).first(limit) if belongs(letter, user)]


async def _find(ids: Sequence[str], url: str, user: str | None) -> list[DeadLetter]:
    from actbook.bridge.rabbitmq import DeadLetters
    from actbook.cli._letters import belongs, named

    found = await DeadLetters(url).find(ids)
    return named([letter for letter in found if belongs(letter, user)], ids)


async def _retry(ids: Sequence[str] | None, url: str, user: str | None) -> list[DeadLetter]:
    """Looks first, so that an unknown id sends nothing."""
    from actbook.bridge.rabbitmq import DeadLetters

    if ids is None and user is None:
        return await DeadLetters(url).retry()
    found = await _find(ids, url, user) if ids is not None else await _first(100_000, url, user)
    return await DeadLetters(url).retry([letter.id for letter in found]) if found else []
