"""Credentials in environment variables, as containers and CI systems hand them out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actbook.actors._credentials_store import CredentialsStoreError
from actbook.engine.credentials._store_errors import ReadOnlyCredentialsError
from actbook.graphs import Credentials, CredentialsMetaInput
from actbook.graphs._stored_credentials import credentials_of

PREFIX = "ACTBOOK_CREDENTIALS_"
_SETTINGS = frozenset({f"{PREFIX}KEY", f"{PREFIX}KEY_FILE"})


class EnvironmentCredentials:
    """Each variable `ACTBOOK_CREDENTIALS_NAME` holds a JSON object: `type`, `provider`, and what that type has.

    The id is the object's `id`, or NAME in lower case. They serve every user, or only the one in `user_id`. Read anew each
    time; can't be written.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """`environ`: by default that of the process."""
        self._environ = os.environ if environ is None else environ

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        return self._of(user_id).get(credentials_id)

    async def list(self, user_id: str) -> Sequence[CredentialsMetaInput]:
        return [each.meta for _, each in sorted(self._of(user_id).items())]

    async def put(self, user_id: str, credentials: Credentials) -> None:
        raise ReadOnlyCredentialsError(f"Credentials in the environment are set there, as {PREFIX}NAME.")

    async def delete(self, user_id: str, credentials_id: str) -> bool:
        raise ReadOnlyCredentialsError(
            f"Credentials in the environment are removed there: unset {PREFIX}NAME."
        )

    def _of(self, user_id: str) -> dict[str, Credentials]:
        found: dict[str, Credentials] = {}
        for variable, text in self._environ.items():
            if variable.startswith(PREFIX) and variable not in _SETTINGS:
                owner, credentials = _read(variable, text)
                if owner in (None, user_id):
                    found[credentials.id] = credentials
        return found

    def __repr__(self) -> str:
        return "<EnvironmentCredentials>"


def _read(variable: str, text: str) -> tuple[str | None, Credentials]:
    try:
        document: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
        owner = document.pop("user_id", None)
        return owner, credentials_of({"id": variable.removeprefix(PREFIX).lower(), **document})
    except msgspec.MsgspecError:
        raise CredentialsStoreError(f"{variable} holds no JSON object. Correct or unset it.") from None
    except ValueError as error:
        raise CredentialsStoreError(f"{variable} can't be used: {error}. Correct or unset it.") from None
