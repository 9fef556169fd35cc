"""Messages of the dead-letter queue on the screen."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from actbook.cli._problems import MissingError, UsageError

if TYPE_CHECKING:
    from actbook.bridge.rabbitmq import DeadLetter
    from actbook.cli._options import Options


def check_limit(limit: int) -> int:
    """Raises `UsageError`."""
    if limit < 1:
        raise UsageError(f"--limit {limit} lists nothing. Give a number from 1 on.")
    return limit


def belongs(letter: DeadLetter, user: str | None) -> bool:
    """Whether the message says that it is this user's; without a user anybody's."""
    return user is None or _said(letter, "user_id") == user


def named(found: Sequence[DeadLetter], ids: Sequence[str]) -> list[DeadLetter]:
    """One for each of the ids, once. Raises `MissingError` or `UsageError`."""
    chosen: dict[str, DeadLetter] = {}
    for given in ids:
        fitting = {letter.id: letter for letter in found if letter.id.startswith(given)}
        if not fitting:
            raise MissingError(
                f"There is no message {given!r} in the dead-letter queue. `actbook dead ls` lists those there are.",
                id=given,
            )
        if len(fitting) > 1 and given not in fitting:
            raise UsageError(
                f"{given!r} begins the ids of several messages. Give more of it.", ids=[*fitting]
            )
        letter = fitting.get(given) or next(iter(fitting.values()))
        chosen[letter.id] = letter
    return list(chosen.values())


def print_letters(letters: Sequence[DeadLetter], options: Options) -> None:
    """One line each."""
    from actbook.cli._printing import note, one_line, print_ids, print_json

    if options.output == "json":
        print_json([_record(letter) for letter in letters])
    elif options.output == "ids":
        print_ids(letter.id for letter in letters)
    elif letters:
        for letter in letters:
            execution = _said(letter, "graph_exec_id") or letter.message_id or "-"
            times = f" (sent back {letter.retries} ×)" if letter.retries else ""
            print(
                f"{letter.id}  {letter.reason:<12}  {execution}  {one_line(letter.detail, 100)}{times}".rstrip()
            )
    else:
        note("No messages.", options.output)


def print_whole(letters: Sequence[DeadLetter], options: Options) -> None:
    """Everything that is known of each."""
    from actbook.cli._printing import print_ids, print_json

    if options.output == "ids":
        print_ids(letter.id for letter in letters)
        return
    records = [_record(letter) | _content(letter) for letter in letters]
    if options.output == "json":
        print_json(records)
        return
    for number, record in enumerate(records):
        if number:
            print()
        for name, value in record.items():
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            print(f"{name:<13} {_printable(text)}".rstrip())


def _record(letter: DeadLetter) -> dict[str, Any]:
    from actbook.cli._records import iso

    return {
        "id": letter.id,
        "reason": letter.reason,
        "detail": letter.detail,
        "message_id": letter.message_id,
        "graph_exec_id": _said(letter, "graph_exec_id"),
        "user_id": _said(letter, "user_id"),
        "exchange": letter.exchange,
        "at": iso(letter.at) if letter.at else None,
        "worker": letter.worker,
        "retries": letter.retries,
        "size": len(letter.body),
    }


def _content(letter: DeadLetter) -> dict[str, Any]:
    """The body as JSON if it is that, else as text, else in base64."""
    headers = {name: _plain(value) for name, value in letter.headers.items() if not name.startswith("x-")}
    try:
        return {"headers": headers, "body": msgspec.json.decode(letter.body)}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return {"headers": headers, "body": letter.body.decode()}
    except UnicodeDecodeError:
        return {"headers": headers, "body_base64": base64.b64encode(letter.body).decode()}


def _said(letter: DeadLetter, name: str) -> str:
    """A field of the message, bare or in a CloudEvent; empty when it can't be read."""
    try:
        document = msgspec.json.decode(letter.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if isinstance(document, dict) and isinstance(document.get("data"), dict) and "specversion" in document:
        document = document["data"]
    value = document.get(name) if isinstance(document, dict) else None
    return value[:200] if isinstance(value, str) else ""


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _printable(text: str) -> str:
    """A message of a stranger must not move the cursor."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
