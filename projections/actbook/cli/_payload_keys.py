"""The payload keys of a store as the command line finds them: a master key in the environment, the keys beside the store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from actbook.cli._problems import UsageError
from actbook.cli._session import is_postgres, path_of

if TYPE_CHECKING:
    from actbook.journal.keys import KeyRing

KEYS = "ACTBOOK_PAYLOAD_KEYS"
_SUFFIX = "-keys"


def payload_keys(store: str) -> KeyRing:
    """Those that ACTBOOK_PAYLOAD_KEYS names, else those beside the store. Raises `UsageError` or `PayloadKeyError`."""
    from actbook.journal.keys import open_payload_keys

    return open_payload_keys(os.environ.get(KEYS) or _beside(store))


def _beside(store: str) -> str:
    path = path_of(store)
    if path is not None:
        return f"sqlite:///{path}{_SUFFIX}"
    if is_postgres(store):
        return store
    if store.startswith("memory:"):
        return "memory:"
    raise UsageError(f"Name the payload keys of this store with {KEYS}.")
