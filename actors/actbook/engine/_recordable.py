"""Which input of a request it was that could not be recorded."""

from __future__ import annotations

import msgspec

from actbook.engine._errors import UnrecordableInputError
from actbook.events import Create
from actbook.journal import UnencodableError


def unrecordable_input(create: Create, error: UnencodableError) -> UnrecordableInputError:
    """The first of the inputs that has no recordable form."""
    for name, value in create.inputs.items():
        try:
            msgspec.msgpack.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as reason:
            return UnrecordableInputError(name, str(reason))
    return UnrecordableInputError("", error.reason)
