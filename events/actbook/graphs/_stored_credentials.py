"""Credentials with their secrets, as a store keeps them and as a block's `run` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from ._credentials import CredentialsMetaInput, CredentialsType
from ._secret import Secret


class _Stored(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all kinds have. `id` names it among the credentials of one user."""

    type: ClassVar[CredentialsType]

    id: str
    provider: str
    title: str | None = None

    @property
    def meta(self) -> CredentialsMetaInput:
        """What a node's pin holds: everything but the secrets."""
        return CredentialsMetaInput(id=self.id, provider=self.provider, type=self.type, title=self.title)

    def secrets(self) -> Iterator[Secret]:
        """Its secret texts, those that are not empty."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            found = value.values() if isinstance(value, Mapping) else (value,)
            yield from (each for each in found if isinstance(each, Secret) and each)


class ApiKeyCredentials(_Stored, frozen=True, kw_only=True, tag="api_key"):
    """One secret key. `expires_at`: seconds since the Unix epoch."""

    type: ClassVar[CredentialsType] = "api_key"

    api_key: Secret
    expires_at: int | None = None


class OAuth2Credentials(_Stored, frozen=True, kw_only=True, tag="oauth2"):
    """Tokens of an OAuth 2 grant. Times are seconds since the Unix epoch; nothing here refreshes a token."""

    type: ClassVar[CredentialsType] = "oauth2"

    access_token: Secret
    refresh_token: Secret | None = None
    access_token_expires_at: int | None = None
    refresh_token_expires_at: int | None = None
    scopes: tuple[str, ...] = ()
    username: str | None = None


class UserPasswordCredentials(_Stored, frozen=True, kw_only=True, tag="user_password"):
    """A name and a password; the name is kept as secret as the password."""

    type: ClassVar[CredentialsType] = "user_password"

    username: Secret
    password: Secret


class HostScopedCredentials(_Stored, frozen=True, kw_only=True, tag="host_scoped"):
    """Headers for requests to one host, or with a leading `*.` to the hosts below one."""

    type: ClassVar[CredentialsType] = "host_scoped"

    host: str
    headers: Mapping[str, Secret] = {}

    def matches(self, url: str) -> bool:
        """Whether the headers may be sent to this address. A `host` with a port matches that port only."""
        target = urlsplit(url if "//" in url else f"//{url}")
        wanted = urlsplit(f"//{self.host.removeprefix('*.')}")
        if wanted.port is not None and target.port != wanted.port:
            return False
        host, allowed = target.hostname or "", wanted.hostname or ""
        return host == allowed or (self.host.startswith("*.") and host.endswith(f".{allowed}"))


Credentials = ApiKeyCredentials | OAuth2Credentials | UserPasswordCredentials | HostScopedCredentials

NO_CREDENTIALS: Mapping[str, Credentials] = MappingProxyType({})

credentials_of_run: ContextVar[Mapping[str, Credentials]] = ContextVar(
    "actbook_credentials", default=NO_CREDENTIALS
)
"""Set around a body: the credentials by pin."""


def revealed(credentials: Any) -> bytes:
    """The bytes of credentials, secrets included: for what encrypts them, or hands them to a body."""
    return _revealing(credentials)


def credentials_from(data: bytes) -> Credentials:
    """The reverse of `revealed`. Raises `msgspec.MsgspecError`; its text may hold what it could not read."""
    found: Credentials = _one(data)
    return found


def credentials_by_pin_from(data: bytes) -> dict[str, Credentials]:
    """The same for credentials by pin."""
    return _by_pin(data)


def credentials_of(document: Mapping[str, Any]) -> Credentials:
    """From a document with plain texts, such as parsed JSON. Raises ValueError; no secret is in its text."""
    try:
        found: Credentials = msgspec.convert(document, Credentials, dec_hook=_conceal)
    except msgspec.ValidationError as error:
        raise ValueError(_reason(str(error))) from None
    return found


def _reason(text: str) -> str:
    """What msgspec says is wrong, without values."""
    return "`type` is not a kind of credentials" if text.startswith("Invalid value") else text


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no part of credentials")


def _conceal(kind: type, value: Any) -> Any:
    if kind is not Secret:
        raise TypeError(f"{kind.__name__} is no part of credentials")
    return Secret(value)


_revealing = msgspec.msgpack.Encoder(enc_hook=_reveal).encode
_one = msgspec.msgpack.Decoder(Credentials, dec_hook=_conceal).decode
_by_pin = msgspec.msgpack.Decoder(dict[str, Credentials], dec_hook=_conceal).decode
