"""What the verbs tell of executions that left the store."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from actbook.journal import Store


def where_archived(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """Where those of the executions are that left the store, for people. Blocks."""
    from actbook.journal._archived import archived_stream

    with closing(store.open_views_reader()) as connection:
        found = ((each, archived_stream(connection, each)) for each in ids)
        return {each: archived.text for each, archived in found if archived is not None}


def archived_beginning_with(store: Store, prefix: str, user: str | None) -> dict[str, str]:
    """The user's executions that left the store and whose id begins so, each with where it is. Blocks."""
    from actbook.journal._archived import archived_like, archived_stream

    with closing(store.open_views_reader()) as connection:
        found = ((each, archived_stream(connection, each)) for each in archived_like(connection, prefix, 5))
        return {
            each: archived.text
            for each, archived in found
            if archived is not None and user in (None, archived.user_id)
        }


def tell_incomplete(source: Store | Path) -> bool:
    """Tells when archived events can't be read, so that the views can't be compared with a rebuild."""
    import sys

    from actbook.journal._archived import missing_archives
    from actbook.replay import views_of

    with views_of(source) as connection:
        missing = list(missing_archives(connection))
    for each in missing:
        what = f"{each.file} is not there" if each.file else f"{each.events} events were discarded"
        print(f"The views are not compared with a rebuild: {what}.", file=sys.stderr)
    return bool(missing)
