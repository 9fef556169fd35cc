"""Inputs of a run, from the command line and from a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from actbook.cli._problems import InvalidError, MissingError, UsageError

_SHAPE = "Write --input NAME=VALUE, NAME=@FILE for a file's text, or NAME:=JSON for strict JSON."


def read_inputs(pairs: Iterable[str], file: Path | None) -> dict[str, Any]:
    """Inputs by name. Those of the command line win over those of the file."""
    inputs = _of_file(file) if file is not None else {}
    given: set[str] = set()
    for pair in pairs:
        name, value = parse_pair(pair)
        if name in given:
            raise UsageError(
                f"--input {name} is given twice. Give each name once; a list is one JSON value: {name}=[1,2]."
            )
        given.add(name)
        inputs[name] = value
    return inputs


def parse_pair(pair: str) -> tuple[str, Any]:
    """`k=v` (v as JSON when it is JSON, else as text), `k=@file`, `k:=json`."""
    name, equals, text = pair.partition("=")
    strict = name.endswith(":")
    name = name.removesuffix(":").strip()
    if not equals or not name:
        raise UsageError(f"--input {pair!r} is not understood. {_SHAPE}")
    if text.startswith("@"):
        content = read_text(Path(text[1:]))
        return name, _json(name, content) if strict else content
    return name, _json(name, text) if strict else _guess(text)


def read_text(path: Path) -> str:
    """A file's content. Raises one of the command's errors with the remedy."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise MissingError(
            f"There is no file {path}. Check the path; it is relative to the current folder."
        ) from None
    except IsADirectoryError:
        raise InvalidError(f"{path} is a folder. Name a file in it.") from None
    except UnicodeDecodeError as error:
        raise InvalidError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8."
        ) from None


def check_inputs(schema: dict[str, Any], inputs: dict[str, Any]) -> None:
    """Every required input is there and every given one is known. `schema`: the graph's input schema."""
    known, required = list(schema["properties"]), schema["required"]
    unknown = [name for name in inputs if name not in known]
    missing = [name for name in required if name not in inputs]
    if unknown:
        raise InvalidError(_unknown(unknown, known), unknown=unknown, known=known)
    if missing:
        add = " ".join(f"--input {quoted(name)}=…" for name in missing)
        noun = "input" if len(missing) == 1 else "inputs"
        raise InvalidError(f"The graph needs the {noun} {_list(missing)}. Add {add}", missing=missing)


def quoted(name: str) -> str:
    """A name as a shell takes it."""
    import shlex

    return shlex.quote(name)


def _unknown(unknown: list[str], known: list[str]) -> str:
    if not known:
        return f"The graph takes no inputs, so {_list(unknown)} can't be given. Leave it out."
    near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else "Correct the name."
    return f"The graph has no input {_list(unknown)}; it takes {_list(known)}. {hint}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _guess(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"--input {name} is not JSON ({error}). Write {name}=TEXT for plain text.") from None


def _of_file(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidError(f"{path} is not JSON ({error}). Write one object: name → value.") from None
    if not isinstance(document, dict):
        raise InvalidError(f"{path} holds no object. Write one object: name → value.")
    return document
