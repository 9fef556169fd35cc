"""After a write of a stream failed, those that were queued behind it and build on it fail too."""

from __future__ import annotations

from collections.abc import Iterable

from actbook.journal._plan import after_failure
from actbook.journal._prepared import Prepared

_UNTIL_REPORTED = 2**63


class Barriers:
    """Streams with a failed write.

    Each barrier stops what was submitted before the submitter learned of the failure.

    The writer's thread raises barriers and asks; the loop bounds them when it has reported the failure.
    """

    def __init__(self) -> None:
        self._barriers: dict[str, tuple[int, Exception]] = {}

    def __bool__(self) -> bool:
        return bool(self._barriers)

    def raise_for(self, prepared: Prepared, error: Exception) -> None:
        """Stops every later write that builds on this one, until `bound` says which those are."""
        for stream_id, _ in _building(prepared):
            self._barriers[stream_id] = (_UNTIL_REPORTED, error)

    def bound(self, prepared: Prepared, number: int) -> None:
        """The failure is known now: requests above `number` were made with that knowledge."""
        for stream_id, _ in _building(prepared):
            if barrier := self._barriers.get(stream_id):
                self._barriers[stream_id] = (number, barrier[1])

    def refuse(self, requests: Iterable[tuple[int, Prepared]]) -> dict[int, Exception]:
        """Which of the requests must not be tried, and why; forgets the barriers that they are past."""
        refused: dict[int, Exception] = {}
        for number, prepared in requests:
            for stream_id in [s for s, (until, _) in self._barriers.items() if until < number]:
                del self._barriers[stream_id]
            for stream_id, expected in _building(prepared):
                if stream_id in self._barriers:
                    refused[number] = after_failure(stream_id, expected, self._barriers[stream_id][1])
        return refused


def _building(prepared: Prepared) -> Iterable[tuple[str, int]]:
    """The parts that name the version they build on."""
    for part in prepared.parts or (prepared,):
        if part.append.expected is not None:
            yield part.append.stream_id, part.append.expected
