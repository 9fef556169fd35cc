"""Inputs as they will be recorded, or which of them can't be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from actbook.actors._bodies._plain import UnrecordableError, plain
from actbook.engine._errors import UnrecordableInputError
from actbook.events import Create
from actbook.journal import UnencodableError


def recordable(inputs: Mapping[str, Any], of: str = "") -> dict[str, Any]:
    """Copies that are equal to what a reader of the record will get. `of` names the node whose pins they are, if it is one.

    Raises `UnrecordableInputError`.
    """
    made: dict[str, Any] = {}
    for name, value in inputs.items():
        shown = f"{of}.{name}" if of else name
        if not isinstance(name, str):
            raise UnrecordableInputError(str(shown), "its name is no text")
        try:
            made[name] = plain(value)[0]
        except UnrecordableError as error:
            raise UnrecordableInputError(shown, str(error)) from None
    return made


def unrecordable_input(create: Create, error: UnencodableError) -> UnrecordableInputError:
    """The first of the inputs that has no recordable form."""
    for name, value in create.inputs.items():
        try:
            msgspec.msgpack.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as reason:
            return UnrecordableInputError(name, str(reason))
    return UnrecordableInputError("", error.reason)
