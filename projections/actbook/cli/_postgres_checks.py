"""What `doctor` looks at in a PostgreSQL store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from actbook.cli._checks import NEWEST, Finding

if TYPE_CHECKING:
    from actbook.journal import Store
    from actbook.journal._postgres_inspection import PostgresFacts

OLDEST = 14
"""Major version of the server."""


def examine_postgres(store: str, full: bool) -> Iterator[Finding]:
    """All checks but those of the machine, until one fails. `full`: every stream."""
    from actbook.journal import JournalError, StoreFormatError, StoreUrlError, open_store, redacted_url

    try:
        facts = _facts(store)
        yield Finding("ok", "store URL", facts.shown)
        yield from _server(facts)
        if facts.version and facts.encoding == "UTF8":
            with closing(open_store(store)) as opened:
                yield _chains(opened, full)
    except StoreUrlError as error:
        yield Finding("fail", "store URL", str(error), "Correct --store.")
    except StoreFormatError as error:
        yield Finding("fail", "store schema", error.reason, "Name another schema with ?schema=, or upgrade.")
    except JournalError as error:
        sentence, _, remedy = str(error).partition(". ")
        place = redacted_url(store)
        text = sentence if place in sentence else f"{place}: {sentence}"
        yield Finding("fail", "server", text, remedy or "Correct --store.")


def _facts(store: str) -> PostgresFacts:
    from actbook.journal import MissingDriverError

    try:
        from actbook.journal._postgres_inspection import inspect_postgres
    except ImportError as error:
        raise MissingDriverError("PostgreSQL", "postgres") from error
    return inspect_postgres(store)


def _server(facts: PostgresFacts) -> Iterator[Finding]:
    text = f"PostgreSQL {facts.server}, encoding {facts.encoding}"
    if facts.encoding != "UTF8":
        yield Finding("fail", "server", text, "Name a database that is encoded in UTF8.")
        return
    if int(facts.server.split(".")[0].split()[0].rstrip("abcdefghijklmnopqrstuvwxyz")) < OLDEST:
        yield Finding("warn", "server", text, f"It is tested with {OLDEST} and newer; update when you can.")
    else:
        yield Finding("ok", "server", text)
    if not facts.version:
        yield Finding("ok", "store schema", f"{facts.schema} does not exist yet; the first run makes it")
        return
    yield Finding("ok", "store schema", f"{facts.schema}, an actbook store, version {facts.version}")
    if facts.owner is None:
        yield Finding("ok", "workers", "no process runs executions of this store now")
    else:
        since = f"{facts.owner.started_at:%Y-%m-%d %H:%M:%S} UTC"
        text = f"{facts.workers}; {facts.owner.worker_id} leads them since {since}"
        yield Finding("ok", "workers", text)
    yield Finding("ok", "content", f"{facts.events} events, {facts.unfinished} unfinished executions")


def _chains(store: Store, full: bool) -> Finding:
    from actbook.journal import verify_chain

    streams = _all_streams(store) if full else _newest_streams(store)
    faults = [fault for stream in streams for fault in verify_chain(store.read_rows(stream))]
    which = f"all {len(streams)} streams" if full else f"the newest {len(streams)} streams"
    if not faults:
        return Finding("ok", "hash chains", f"{which} are whole")
    first = faults[0]
    text = f"{len(faults)} faults in {which}, the first in {first.stream_id} at version {first.version}: {first.message}"
    return Finding("fail", "hash chains", text, "`actbook verify --all` names every fault. Restore a backup.")


def _all_streams(store: Store) -> list[str]:
    streams: list[str] = []
    while page := store.stream_ids(streams[-1] if streams else ""):
        streams += page
    return streams


def _newest_streams(store: Store) -> list[str]:
    last = store.last_position()
    newest = {row.stream_id: None for row in reversed(store.log_rows(max(0, last - NEWEST * 50), None))}
    return list(newest)[:NEWEST]
