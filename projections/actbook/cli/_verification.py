"""What verification found, while it goes on and at its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import Options, Output

if TYPE_CHECKING:
    from actbook.journal import Fault, Store
    from actbook.replay import Checked

STORE = "store"
"""Stands for the id in what concerns the store as a whole."""

_SHOWN = 20
_EVERY = 0.2


class Counter:
    """Tells on a terminal how far it is."""

    def __init__(self, output: Output) -> None:
        self._shown = output == "table" and sys.stderr.isatty()
        self._next = time.monotonic() + _EVERY
        self._told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._told:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def __call__(self, events: int) -> None:
        if self._shown and time.monotonic() > self._next:
            self._next = time.monotonic() + _EVERY
            self._told = True
            print(f"\r{events:,} events", end="", file=sys.stderr, flush=True)


def views_too(source: Store | Path, checked: Iterator[Checked]) -> Iterator[Checked]:
    """Adds to the last one, the store as a whole, what is wrong with the views.

    Damaged events can't be compared with; those of a newer version can, since views leave them out alike.
    """
    sound, last = True, None
    for each in checked:
        if last is not None:
            sound = sound and all(fault.kind == "unreadable" for fault in last.faults)
            yield last
        last = each
    if last is not None:
        faults = _faults_of_views(source) if sound else []
        yield last._replace(faults=[*last.faults, *faults])


def _faults_of_views(source: Store | Path) -> list[Fault]:
    from actbook.cli._archived import tell_incomplete
    from actbook.projections import compare_views
    from actbook.projections._unreadable import stand_in
    from actbook.replay import recorded_events, views_of

    if tell_incomplete(source):
        return []
    with views_of(source) as connection:
        return compare_views(connection, recorded_events(source, stand_in))


def print_checked(checked: Iterable[Checked], options: Options) -> ExitCode:
    """The answer of `verify`."""
    from actbook.cli._printing import print_json

    if options.output == "json":
        found = [_record(each) for each in checked]
        print_json(found)
        return ExitCode.OK if all(each["ok"] for each in found) else ExitCode.FAULTY
    if options.output == "ids":
        return _print_ids(checked)
    return _show(checked)


def _record(each: Checked) -> dict[str, Any]:
    faults = [
        {"version": f.version, "position": f.position, "kind": f.kind, "message": f.message}
        | ({"stream_id": f.stream_id} if f.stream_id and f.stream_id != each.stream_id else {})
        for f in each.faults
    ]
    return {"id": each.stream_id or STORE, "ok": each.ok, "events": each.events, "faults": faults}


def _print_ids(checked: Iterable[Checked]) -> ExitCode:
    from actbook.cli._printing import print_ids

    bad = [each.stream_id or STORE for each in checked if not each.ok]
    print_ids(bad)
    return ExitCode.FAULTY if bad else ExitCode.OK


def _show(checked: Iterable[Checked]) -> ExitCode:
    from actbook.cli._printing import show

    streams = sound = events = 0
    kept: list[Checked] = []
    code = ExitCode.OK
    for each in checked:
        if each.faults:
            code = ExitCode.FAULTY
            _show_faults(each)
        if each.stream_id:
            streams, events = streams + 1, events + each.events
            sound += each.ok
            if each.ok and len(kept) <= _SHOWN:
                kept.append(each)
    if sound <= _SHOWN:
        _show_sound(kept)
    if streams != 1:
        show(f"{sound} of {streams} streams are sound, {events} events in all.")
    return code


def _show_sound(sound: list[Checked]) -> None:
    from rich.text import Text

    from actbook.cli._printing import show
    from actbook.cli._statuses import look

    good = look("COMPLETED")
    for each in sound:
        text = f" {each.stream_id}  {each.events} events, whole and legal"
        show(Text.assemble((good.glyph, good.style), text))


def _show_faults(each: Checked) -> None:
    from rich.text import Text

    from actbook.cli._printing import show
    from actbook.cli._statuses import look

    bad = look("FAILED")
    for fault in each.faults:
        place = f" {fault.stream_id or STORE} "
        place += f" version {fault.version}" if fault.version else ""
        place += f" position {fault.position}" if fault.position and not fault.version else ""
        show(Text.assemble((bad.glyph, bad.style), f"{place} {fault.kind}: {fault.message}"))
