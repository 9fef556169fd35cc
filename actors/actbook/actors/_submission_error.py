"""What a caller is told whose run could not be begun."""

from __future__ import annotations

from actbook.graphs import ActbookError


class SubmissionError(ActbookError):
    """A run broke every time before anything of it was recorded: there is no such execution. `reason` tells what broke.

    The log of `actbook.supervisor` has more. Repair the cause, then submit it again.
    """

    def __init__(self, execution_id: str, error: BaseException) -> None:
        kind, text = type(error).__name__, str(error)
        self.execution_id = execution_id
        self.reason = f"{kind}: {text}" if text else kind
        super().__init__(
            f"Graph execution #{execution_id} was not accepted: it broke every time before anything of it was recorded "
            f"({self.reason}). Look into the log of actbook.supervisor, repair the cause, then submit it again."
        )
