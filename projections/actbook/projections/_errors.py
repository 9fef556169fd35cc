"""Errors of projections and queries."""

from __future__ import annotations

from actbook.graphs import ActbookError


class ProjectionError(ActbookError):
    """Base of the errors raised by projections and queries."""


class UnknownProjectionError(ProjectionError):
    """No projection of that name runs here."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no projection {name!r}: use one of {', '.join(known) or '(none)'}.")
        self.name = name
        self.known = known


class ProjectionDefinitionError(ProjectionError):
    """A projection is declared wrongly, or writes a row that does not fit its table."""


class LagError(ProjectionError, TimeoutError):
    """The rows did not get as far as asked for in time. Ask for the status: a projection may be paused or failing."""

    def __init__(self, position: int, applied: int, timeout: float) -> None:
        super().__init__(
            f"The views stand at position {applied} and did not reach {position} within {timeout:g} s: "
            "see the status of the projections for one that is paused or failing."
        )
        self.position = position
        self.applied = applied


class CursorError(ProjectionError, ValueError):
    """A page cursor that this query did not hand out. Start again without one."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"Cursor {cursor!r} does not belong to this query: start again without a cursor.")
        self.cursor = cursor


class SortError(ProjectionError, ValueError):
    """A sort order that the query does not know."""

    def __init__(self, sort: str, known: list[str]) -> None:
        super().__init__(
            f"Cannot sort by {sort!r}: use one of {', '.join(known)}, with '-' in front to descend."
        )
        self.sort = sort
        self.known = known


class RunnerClosedError(ProjectionError):
    """The runner was closed or not started. Start a new one."""

    def __init__(self) -> None:
        super().__init__("The projection runner is not running: start a new one.")
