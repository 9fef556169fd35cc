"""Where the bus is and what is kept there, as one URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from actbook.bridge._relay_publisher import BusUrlError

SCHEMES = ("nats", "tls")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRET = re.compile(r"//[^/,\s]*@")
_HALF_AN_HOUR = 1800.0


class BusConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `servers` may hold user names and passwords: print `shown` instead.

    - `tenant`: who shares the subjects `actbook.events.<tenant>.>`; one store, one tenant
    - `stream`: name of the JetStream stream; empty = `actbook-<tenant>`
    - `max_age`, `max_bytes`: what JetStream keeps; -1 bytes = no limit
    - `duplicate_window`: how long it knows the ids of what it has
    - `replicas`: of a cluster, how many servers keep it
    - `in_flight`: events that may be under way at once, of different streams
    - `timeout`: how long an acknowledgement may take
    """

    servers: tuple[str, ...]
    tenant: str = "default"
    stream: str = ""
    max_age: float = 7 * 86_400.0
    max_bytes: int = -1
    duplicate_window: float = _HALF_AN_HOUR
    replicas: int = 1
    in_flight: int = 64
    timeout: float = 5.0

    @property
    def stream_name(self) -> str:
        return self.stream or f"actbook-{self.tenant}"

    @property
    def shown(self) -> str:
        """The servers without user names and passwords."""
        return redacted(",".join(self.servers))

    def __repr__(self) -> str:
        return f"BusConfig({self.shown}, tenant={self.tenant!r}, stream={self.stream_name!r})"


def redacted(url: str) -> str:
    """A URL, or several, without user names and passwords."""
    return _SECRET.sub("//***@", url)


def bus_config(url: str) -> BusConfig:
    """`nats://host:4222[,nats://other:4222][?tenant=name&max_age=86400&…]`, the names being those of `BusConfig`.

    Raises `BusUrlError`.
    """
    address, _, query = url.partition("?")
    scheme = address.partition("://")[0]
    servers = tuple(each if "://" in each else f"{scheme}://{each}" for each in address.split(","))
    for server in servers:
        if urlsplit(server).scheme not in SCHEMES or not urlsplit(server).netloc.rpartition("@")[2]:
            raise BusUrlError(redacted(url), "it has to look like nats://HOST:4222")
    given: dict[str, Any] = {"servers": servers}
    for name, text in parse_qsl(query, keep_blank_values=True):
        read = _READERS.get(name)
        if read is None:
            raise BusUrlError(redacted(url), f"there is no {name!r}; there are {', '.join(_READERS)}")
        try:
            given[name] = read(text)
        except ValueError as error:
            raise BusUrlError(redacted(url), f"{name}={text!r} {error}") from None
    return BusConfig(**given)


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError("is not 1 to 64 letters, digits, '-' and '_'")
    return text


def _at_least(least: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            number = kind(text)
        except ValueError:
            raise ValueError("is no number") from None
        if not least <= number < 1e15:
            raise ValueError(f"has to be {least:g} or more")
        return number

    return read


_READERS: dict[str, Callable[[str], Any]] = {
    "tenant": _token,
    "stream": _token,
    "max_age": _at_least(60, float),
    "max_bytes": _at_least(-1, int),
    "duplicate_window": _at_least(_HALF_AN_HOUR, float),
    "replicas": _at_least(1, int),
    "in_flight": _at_least(1, int),
    "timeout": _at_least(0.1, float),
}
