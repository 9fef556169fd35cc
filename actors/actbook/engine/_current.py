"""The engine that is open where the code runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from actbook.engine._errors import EngineClosedError

if TYPE_CHECKING:
    from actbook.engine._engine import Engine

_current: ContextVar[tuple[Engine, ...]] = ContextVar("actbook_engines", default=())


def enter_engine(engine: Engine) -> None:
    """From now on it is the current engine of this task, and of those that are begun by it."""
    _current.set((*_current.get(), engine))


def leave_engine(engine: Engine) -> None:
    """The one that was current before is it again. May be called in another context than `enter_engine`."""
    _current.set(tuple(each for each in _current.get() if each is not engine))


def current_engine() -> Engine | None:
    """The engine whose `async with` block is the innermost around this code, as long as it is open."""
    return next((each for each in reversed(_current.get()) if not each.closed), None)


def engine_or_current(engine: Engine | None) -> Engine:
    """`engine`, else the current one. Raises `EngineClosedError` without either."""
    found = engine if engine is not None else current_engine()
    if found is None:
        raise EngineClosedError
    return found
