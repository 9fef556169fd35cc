"""Scripted outputs of simulated blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actbook.graphs import ActbookError

from ._json_text import from_json_text

Run = tuple[tuple[str, Any], ...]
Script = dict[str, tuple[Run, ...]]
"""Key (block id, block name or node id) → runs; each run is its `(pin, value)` pairs in yield order."""

_SHAPE = '{"<block id, block name or node id>": [[["pin", value], …], …]}'


class SimulationScriptError(ActbookError, ValueError):
    """A simulation script cannot be used. `place` is where in it, `reason` what to change."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"Simulation script, {place}: {reason}")
        self.place = place
        self.reason = reason


def read_script(text: str | bytes) -> dict[str, Any]:
    """The JSON text of a script, checked. Raises `SimulationScriptError`."""
    try:
        document = from_json_text(text)
    except ValueError as error:
        raise SimulationScriptError("as a whole", f"this is not JSON ({error}); write {_SHAPE}.") from None
    checked_script(document)
    script: dict[str, Any] = document
    return script


def checked_script(document: Any) -> Script:
    """The runs of every key. A run may be written as an object `{pin: value}`, and a single run without its
    list.
    """
    if not isinstance(document, Mapping):
        raise SimulationScriptError("as a whole", f"it must be an object like {_SHAPE}.")
    return {str(key): _runs(str(key), value) for key, value in document.items()}


def _runs(key: str, value: Any) -> tuple[Run, ...]:
    if isinstance(value, Mapping):
        return (tuple(value.items()),)
    if not isinstance(value, list) or not value:
        raise SimulationScriptError(
            repr(key), 'it must be a list of runs, or one run as an object like {"pin": value}.'
        )
    return tuple(_run(f"{key!r}, run {number}", run) for number, run in enumerate(value, 1))


def _run(place: str, value: Any) -> Run:
    if isinstance(value, Mapping):
        return tuple(value.items())
    if not isinstance(value, list):
        raise SimulationScriptError(place, 'a run is a list of ["pin", value] pairs, or an object.')
    for pair in value:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise SimulationScriptError(
                place, f'{pair!r:.80} is no ["pin", value] pair; a run is a list of such pairs.'
            )
    return tuple((pin, each) for pin, each in value)
