"""Big values leave the event and are stored once, under their SHA-256; the event keeps a reference."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from msgspec.msgpack import Ext

BLOB_LIMIT = 64 * 1024
"""Bytes an encoded event may have before its big values are taken out."""

BLOB_EXT = 1
_MAX_DEPTH = 8

_encode = msgspec.msgpack.Encoder().encode

LoadBlob = Callable[[bytes], bytes]
"""Returns the content for a SHA-256 digest; raises `LookupError` when the store lacks it."""


class Blob(NamedTuple):
    """Content-addressed data: text as UTF-8, bytes as they are, anything else as MessagePack."""

    sha256: bytes
    size: int
    media_type: str
    data: bytes


def split(state: bytes) -> tuple[bytes, list[Blob]]:
    """An encoded event without its big values, and those values. Small events come back as they are."""
    if len(state) <= BLOB_LIMIT:
        return state, []
    items = msgspec.msgpack.decode(state, ext_hook=_refuse_reserved)
    around, payload, sealed = items[:5], items[5], items[7:]
    blobs: dict[bytes, Blob] = {}
    fields = [_shrink(field, blobs, 1) for field in payload] if isinstance(payload, list) else payload
    if len(_encode(fields)) > BLOB_LIMIT:
        blobs = {}
        fields = _reference(payload, blobs)
    sealed = [_shrink(each, blobs, 1) for each in sealed]
    return _encode((*around, fields, list(blobs), *sealed)), list(blobs.values())


def join(state: bytes, load: LoadBlob) -> list[Any]:
    """Decodes an event to plain data; references are replaced by (still encoded) content."""

    def hook(code: int, data: memoryview) -> Any:
        if code != BLOB_EXT:
            return Ext(code, bytes(data))
        digest, _size, media_type = msgspec.msgpack.decode(data)
        return _restore(load(digest), media_type)

    plain: list[Any] = msgspec.msgpack.decode(state, ext_hook=hook)
    return plain


def _refuse_reserved(code: int, data: memoryview) -> Ext:
    if code == BLOB_EXT:
        raise ValueError(f"extension type {BLOB_EXT} is reserved for references to big values")
    return Ext(code, bytes(data))


def _shrink(value: Any, blobs: dict[bytes, Blob], depth: int) -> Any:
    """The value itself when small; a container whose big parts are references; else one reference to all of
    it.
    """
    if len(_encode(value)) <= BLOB_LIMIT:
        return value
    inner: dict[bytes, Blob] = {}
    smaller = _shrink_parts(value, inner, depth)
    if len(_encode(smaller)) > BLOB_LIMIT:
        return _reference(value, blobs)
    blobs.update(inner)
    return smaller


def _shrink_parts(value: Any, blobs: dict[bytes, Blob], depth: int) -> Any:
    if depth < _MAX_DEPTH and isinstance(value, dict):
        return {key: _shrink(part, blobs, depth + 1) for key, part in value.items()}
    if depth < _MAX_DEPTH and isinstance(value, list):
        return [_shrink(part, blobs, depth + 1) for part in value]
    return value


def _reference(value: Any, blobs: dict[bytes, Blob]) -> Ext:
    blob = _make_blob(value)
    blobs[blob.sha256] = blob
    return Ext(BLOB_EXT, _encode((blob.sha256, blob.size, blob.media_type)))


def _make_blob(value: Any) -> Blob:
    if isinstance(value, str):
        data, media_type = value.encode(), "text/plain"
    elif isinstance(value, bytes):
        data, media_type = value, "application/octet-stream"
    else:
        data, media_type = _encode(value), "application/msgpack"
    return Blob(sha256(data).digest(), len(data), media_type, data)


def _restore(data: bytes, media_type: str) -> Any:
    if media_type == "text/plain":
        return data.decode()
    if media_type == "application/octet-stream":
        return data
    return msgspec.Raw(data)
