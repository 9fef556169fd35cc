"""How secrets get into a command: typed without an echo, from stdin, or from variables. Never as arguments."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from actbook.cli._problems import UsageError


def read_secrets(fields: Sequence[str], optional: Sequence[str], variables: Sequence[str]) -> dict[str, str]:
    """A text for each field, those of `optional` only when there is one.

    `variables`: `FIELD=VARIABLE` each. What they don't give is asked for on a terminal; elsewhere stdin has it, one line
    for each field in order, or all of it for a single one.
    """
    given = _from_variables(fields, variables)
    missing = [field for field in fields if field not in given]
    given.update(_asked(missing, optional) if sys.stdin.isatty() else _piped(missing, optional))
    lacking = [field for field in fields if not given.get(field) and field not in optional]
    if lacking:
        raise UsageError(
            f"No {lacking[0]} was given. Type it when asked, pipe it in, or name a variable: --env {lacking[0]}=VARIABLE."
        )
    return {field: text for field, text in given.items() if text}


def _from_variables(fields: Sequence[str], variables: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in variables:
        field, _, name = text.partition("=")
        if field not in fields:
            raise UsageError(f"--env {field}: the secrets of this type are {', '.join(fields)}.")
        if name not in os.environ:
            raise UsageError(f"The variable {name or '(none)'} of --env {field} is not set.")
        found[field] = os.environ[name]
    return found


def _asked(fields: Sequence[str], optional: Sequence[str]) -> Mapping[str, str]:
    from getpass import getpass

    return {field: getpass(f"{field}{' (or nothing)' if field in optional else ''}: ") for field in fields}


def _piped(fields: Sequence[str], optional: Sequence[str]) -> Mapping[str, str]:
    needed = [field for field in fields if field not in optional]
    if not needed:
        return {}
    if len(fields) == 1:
        return {fields[0]: sys.stdin.read().removesuffix("\n").removesuffix("\r")}
    return dict(zip(fields, sys.stdin.read().splitlines(), strict=False))
