"""How the stores of credentials fail."""

from __future__ import annotations

from actbook.actors._credentials_store import CredentialsStoreError


class CredentialsKeyError(CredentialsStoreError):
    """The key of the encrypted store is missing, malformed, or not the one that the credentials were encrypted with."""


class ReadOnlyCredentialsError(CredentialsStoreError):
    """This store can't be written to. Put the credentials where it reads them."""
