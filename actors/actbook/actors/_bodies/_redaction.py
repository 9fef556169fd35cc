"""Secrets taken out of what is told of a failed body."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

import msgspec

from actbook.graphs import Credentials, UserPasswordCredentials

from ._outcome import Fault

MASK = "**********"
SHORTEST = 4
"""Characters. Shorter secrets are in any text by chance, and taking them out would tell where."""
_LINE = 12
_BACKSLASHES = r"\\+"
_NAMED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


def redacted(fault: Fault, credentials: Mapping[str, Credentials]) -> Fault:
    """The fault without the secrets of these credentials, as they are and in their usual encodings."""
    forms = sorted(set(_forms(credentials)), key=len, reverse=True)
    if not forms:
        return fault
    pattern = re.compile("|".join(forms))
    return msgspec.structs.replace(
        fault, error=pattern.sub(MASK, fault.error), traceback=pattern.sub(MASK, fault.traceback)
    )


def _forms(credentials: Mapping[str, Credentials]) -> Iterator[str]:
    """Regular expressions."""
    for each in credentials.values():
        for secret in each.secrets():
            text = secret.reveal()
            if len(text) >= SHORTEST:
                yield from _encoded(text)
            for line in text.splitlines():
                if len(line) >= _LINE:
                    yield from _encoded(line)
        if isinstance(each, UserPasswordCredentials):
            yield from _base64(f"{each.username.reveal()}:{each.password.reveal()}")


def _encoded(text: str) -> Iterator[str]:
    yield "".join(map(_escaped, text))
    yield from (re.escape(quoted) for quoted in (quote(text), quote(text, safe=""), quote_plus(text)))
    yield from _base64(text)


def _escaped(char: str) -> str:
    """A character as `repr`, `ascii` and JSON write it, however often one was put into the other."""
    if char == "\\":
        return _BACKSLASHES
    if char in "'\"/":
        return rf"\\*{char}"
    if char.isascii() and char.isprintable():
        return re.escape(char)
    codes = [f"x{ord(char):02x}", f"u{ord(char):04x}", f"U{ord(char):08x}"]
    codes += [_NAMED[char]] if char in _NAMED else []
    utf16, utf8 = char.encode("utf-16-be"), char.encode()
    pair = "".join(f"{_BACKSLASHES}u{utf16[n : n + 2].hex()}" for n in range(0, len(utf16), 2))
    several = "".join(f"{_BACKSLASHES}x{byte:02x}" for byte in utf8)
    return f"(?:{re.escape(char)}|{_BACKSLASHES}(?:{'|'.join(codes)})|{pair}|{several})"


def _base64(text: str) -> Iterator[str]:
    data = text.encode()
    for encode in (b64encode, urlsafe_b64encode):
        yield re.escape(encode(data).decode().rstrip("="))
