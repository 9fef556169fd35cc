"""What went wrong, as one sentence with its remedy and an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from actbook.cli._exit_codes import ExitCode
from actbook.graphs import ActbookError


class Problem(NamedTuple):
    """`kind` is stable for programs; `details` is what belongs to the sentence, if anything."""

    code: ExitCode
    kind: str
    message: str
    details: Mapping[str, Any] = {}

    def to_dict(self) -> dict[str, Any]:
        """The object that `-o json` prints on stderr."""
        error: dict[str, Any] = {"kind": self.kind, "message": self.message, "exit_code": int(self.code)}
        if self.details:
            error["details"] = dict(self.details)
        return {"error": error}


class CommandError(ActbookError):
    """A command can't do what it was asked to."""

    code = ExitCode.USAGE
    kind = "usage"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class UsageError(CommandError):
    """The command line is wrong."""


class MissingError(CommandError):
    """There is no such thing."""

    code = ExitCode.NOT_FOUND
    kind = "not_found"


class InvalidError(CommandError):
    """A graph, an input, a script or a decision can't be used."""

    code = ExitCode.INVALID
    kind = "invalid"


class MachineError(CommandError):
    """The store or the machine failed."""

    code = ExitCode.STORE
    kind = "store"


class Left(Exception):  # noqa: N818
    """The command ends now with this exit code; what there was to say is said."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code.meaning)
        self.code = code


def explain(error: BaseException) -> Problem | None:
    """The problem behind an exception; None for one that nobody foresaw."""
    if isinstance(error, CommandError):
        return Problem(error.code, error.kind, str(error), error.details)
    if isinstance(error, ActbookError):
        return _of_actbook(error)
    if isinstance(error, OSError):
        return Problem(ExitCode.STORE, "store", _sentence_of(error))
    return None


def _of_actbook(error: ActbookError) -> Problem:
    from actbook.bridge import BusUrlError
    from actbook.engine import ConfigurationError, GraphValidationError, NotFoundError, StillRunningError
    from actbook.journal import StoreUrlError

    message = " ".join(str(error).split())
    if isinstance(error, (StoreUrlError, BusUrlError, ConfigurationError)):
        return Problem(ExitCode.USAGE, "usage", message)
    if isinstance(error, GraphValidationError):
        return Problem(
            ExitCode.INVALID, "invalid", _faults(error.node_errors), {"node_errors": error.node_errors}
        )
    if isinstance(error, StillRunningError):
        execution = error.graph_exec_id
        remedy = f"`actbook watch {execution}` follows it, `actbook worker` runs it, `actbook stop {execution}` ends it."
        return Problem(ExitCode.TIMEOUT, "timeout", f"{message} {remedy}")
    if isinstance(error, TimeoutError):
        return Problem(ExitCode.TIMEOUT, "timeout", message)
    if isinstance(error, NotFoundError):
        return Problem(
            ExitCode.NOT_FOUND, "not_found", f"{message} `actbook ls` lists the executions of the store."
        )
    if _is_about_the_store(error):
        return Problem(ExitCode.STORE, "store", message)
    return Problem(ExitCode.INVALID, "invalid", message)


def _is_about_the_store(error: ActbookError) -> bool:
    from actbook.bridge import BusError
    from actbook.engine.credentials import CredentialsStoreError
    from actbook.journal import JournalError, UnencodableError
    from actbook.journal._coordination import CoordinationError
    from actbook.projections import ProjectionError

    about = (JournalError, CoordinationError, ProjectionError, CredentialsStoreError, BusError)
    return isinstance(error, about) and not isinstance(error, (UnencodableError, ValueError))


def _faults(node_errors: Mapping[str, Mapping[str, str]]) -> str:
    faults = [
        f"node {node}, {field}: {text}"
        for node, fields in node_errors.items()
        for field, text in fields.items()
    ]
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    return f"The graph can't run: {'; '.join(faults[:5])}{more}. Correct it in the graph file."


def _sentence_of(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Check the path, its permissions and the free space."
