"""Subjects: `actbook.events.<tenant>.<stream>.<topic>`."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256

ROOT = "actbook.events"
_LONGEST = 64
_PLAIN = re.compile(r"[A-Za-z0-9-]{1,64}")
_ESCAPED = re.compile(r"_([0-9A-F]{2})")
_HASHED = "_h"


def subject_of(tenant: str, stream_id: str, topic: str) -> str:
    """Of one event. The parts of a topic are tokens of their own: `node.completed` is matched by `node.*`."""
    return f"{ROOT}.{tenant}.{token_of(stream_id)}.{'.'.join(map(token_of, topic.split('.')))}"


@lru_cache(maxsize=8192)
def token_of(text: str) -> str:
    """One token of `[A-Za-z0-9_-]{1,64}` for any text, another one for each text.

    Letters, digits and `-` stay; every other byte is `_` and two hexadecimal digits. What would be longer than 64 is a
    hash instead, which nobody can turn back: the full text is in the event, as `actbookstream`.
    """
    if not text:
        return "_"
    token = "".join(_escape(byte) for byte in text.encode("utf-8", "surrogatepass"))
    return (
        token
        if len(token) <= _LONGEST
        else _HASHED + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:60]
    )


def text_of(token: str) -> str | None:
    """The text of a token; None when it is a hash. Raises `ValueError` for what is no token."""
    if token == "_":
        return ""
    if token.startswith(_HASHED):
        return None
    escaped = _ESCAPED.sub("", token)
    if "_" in escaped or not re.fullmatch(r"[A-Za-z0-9-]*", escaped):
        raise ValueError(f"{token!r} is no token of actbook")
    return re.sub(rb"_([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), token.encode("ascii")).decode(
        "utf-8", "surrogatepass"
    )


def filter_of(tenant: str, topic: str = "", stream_id: str = "") -> str:
    """What to subscribe to: `topic` may end in `.*`; an empty one, or stream, means all."""
    stream = token_of(stream_id) if stream_id else "*"
    topics = ".".join("*" if part == "*" else token_of(part) for part in topic.split(".")) if topic else ">"
    return f"{ROOT}.{tenant}.{stream}.{topics}"


def _escape(byte: int) -> str:
    return chr(byte) if _PLAIN.match(chr(byte)) else f"_{byte:02X}"
