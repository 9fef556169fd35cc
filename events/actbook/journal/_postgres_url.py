"""Which PostgreSQL database a URL names, and how it is shown to people."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from actbook.journal._errors import StoreUrlError

SCHEMES = ("postgresql", "postgres")
EXAMPLE = "postgresql://USER@HOST:5432/DATABASE?schema=actbook"

_SCHEMA = "actbook"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,49}")
_SECRETS = {"password", "sslpassword", "oauth_client_secret"}
_HIDDEN = "***"
_OURS = ("schema", "views")


class PostgresUrl(NamedTuple):
    """`conninfo` is for the client library and holds the password; `shown` is for everybody.

    `schema` holds the tables. `views` is the file of the tables of the views: empty for one in the user's cache folder.
    """

    conninfo: str
    shown: str
    schema: str
    views: str

    def __repr__(self) -> str:
        return f"PostgresUrl({self.shown!r})"


def parse_postgres_url(url: str) -> PostgresUrl:
    """Raises `StoreUrlError`, which names the URL without its password."""
    try:
        parts = urlsplit(url)
        asked = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        _ = parts.port if "," not in parts.netloc else None  # raises when it is no number
    except ValueError as error:
        raise StoreUrlError(redacted(url), [EXAMPLE]) from error
    ours = {name: value for name, value in asked if name in _OURS}
    schema = ours.get("schema", _SCHEMA)
    if parts.scheme not in SCHEMES or not _NAME.fullmatch(schema) or parts.fragment or "://" not in url:
        raise StoreUrlError(redacted(url), [EXAMPLE])
    rest = urlencode([(name, value) for name, value in asked if name not in _OURS], quote_via=quote)
    conninfo = urlunsplit(parts._replace(scheme="postgresql", query=rest))
    if not parts.netloc:
        conninfo = conninfo.replace("postgresql:", "postgresql://", 1) if "://" not in conninfo else conninfo
    return PostgresUrl(conninfo, redacted(url), schema, ours.get("views", ""))


def redacted(url: str) -> str:
    """The URL with asterisks in place of everything secret; any other text as it is."""
    if url.startswith("sqlite:///") or not ("@" in url or "?" in url):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition(':')[0]}://{_HIDDEN}"
    return urlunsplit(parts._replace(netloc=_without_password(parts), query=_without_secrets(parts.query)))


def _without_password(parts: SplitResult) -> str:
    credentials, at, host = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    return f"{user}{colon and ':' + _HIDDEN}{at}{host}"


def _without_secrets(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(
        f"{name}={_HIDDEN}" if name.lower() in _SECRETS else f"{name}{sign}{value}"
        for name, sign, value in pairs
    )
