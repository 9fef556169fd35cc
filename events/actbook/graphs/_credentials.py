"""Credentials metadata on a pin: which providers and types it takes. The secret itself is never here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

CredentialsType = Literal["api_key", "oauth2", "user_password", "host_scoped"]
ALL_TYPES: tuple[CredentialsType, ...] = ("api_key", "oauth2", "user_password", "host_scoped")


class CredentialsMetaInput(msgspec.Struct, kw_only=True):
    """Points to a credential of the user's store. Its pins are named `credentials` or `*_credentials`."""

    id: str
    provider: str
    type: CredentialsType
    title: str | None = None


class CredentialsField(msgspec.Struct, frozen=True, kw_only=True):
    """What a credentials pin accepts. No providers means any provider."""

    name: str
    providers: tuple[str, ...] = ()
    types: tuple[str, ...] = ALL_TYPES
    scopes: tuple[str, ...] = ()
    required: bool = True
    discriminator: str | None = None
    discriminator_mapping: Mapping[str, str] = {}
    discriminator_values: tuple[Any, ...] = ()
    title: str | None = None
    description: str | None = None


def credentials_meta(
    *providers: str,
    types: Iterable[CredentialsType] = ALL_TYPES,
    scopes: Iterable[str] = (),
    discriminator: str | None = None,
    discriminator_mapping: Mapping[str, str] | None = None,
    discriminator_values: Iterable[Any] = (),
    title: str | None = None,
    description: str | None = None,
) -> msgspec.Meta:
    """The annotation of a credentials pin: `Annotated[CredentialsMetaInput, credentials_meta("github")]`.

    `discriminator` names the sibling pin whose value picks the provider through `discriminator_mapping`.
    """
    extra: dict[str, Any] = {
        "credentials_provider": list(providers),
        "credentials_types": list(types),
        "credentials_scopes": list(scopes),
        "discriminator_values": list(discriminator_values),
    }
    if discriminator is not None:
        extra["discriminator"] = discriminator
        extra["discriminator_mapping"] = dict(discriminator_mapping or {})
    return msgspec.Meta(title=title, description=description, extra_json_schema=extra)


def is_credentials_name(name: str) -> bool:
    return name == "credentials" or name.endswith("_credentials")
