"""How a command ends, as numbers that scripts may rely on."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """Each code has one meaning in all commands."""

    def __new__(cls, value: int, meaning: str) -> Self:
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    meaning: str

    OK = 0, "done; of `run`, `watch`: the execution is COMPLETED"
    UNEXPECTED = 1, "a fault of actbook itself; `ACTBOOK_DEBUG=1` shows the traceback"
    USAGE = 2, "the command line is wrong: an option, a verb, an `--input`, an ambiguous id"
    FAILED = 3, "the execution ended FAILED"
    TERMINATED = 4, "the execution was stopped: TERMINATED"
    REVIEW = 5, "the execution waits for a person: REVIEW"
    TIMEOUT = 6, "`--timeout` passed before the end; the execution, or the stop request, stays in force"
    NOT_FOUND = 7, "there is no such file, execution, node execution, graph or block"
    INVALID = 8, "the graph, an input, a script or a decision can't be used as it is"
    STORE = 9, "the store or the machine failed: not an actbook store, no permission, disk full"
    FAULTY = 10, "`verify`, `rerun` or `doctor` found something wrong"
    INTERRUPTED = 130, "left at once by a second Ctrl-C; what was asked for stays recorded"
    HUNG_UP = 141, "whoever read the output went away"
    ENDED = 143, "ended by SIGTERM; an unfinished execution goes on when the store is opened again"


OF_STATUS = {
    "COMPLETED": ExitCode.OK,
    "FAILED": ExitCode.FAILED,
    "TERMINATED": ExitCode.TERMINATED,
    "REVIEW": ExitCode.REVIEW,
}
"""How a command ends that followed an execution to this status."""
