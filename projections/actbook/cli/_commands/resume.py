"""`actbook resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbook.cli._given import TO_THE_END, Staying
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.events import GraphExecution


def resume(
    *ids: Id,
    reason: str = "Resumed from the command line",
    staying: Staying = TO_THE_END,
    options: Options = DEFAULTS,
) -> int:
    """Goes on with executions that were stopped, or that wait for a person, and follows them to their end.

    What was interrupted runs as a new attempt; what had ended is not run again.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    reason
        Recorded with the request.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._session import run_async

    given = ids_of(ids)
    from actbook.cli._going_on import GoingOn

    async def ask(engine: Engine, state: GraphExecution) -> GraphExecution:
        return await engine.resume(state.user_id, state.id, reason=reason)

    return run_async(GoingOn(ask, staying, options).run(given))
