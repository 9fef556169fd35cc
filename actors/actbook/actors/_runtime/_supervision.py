"""Whether a crashed actor is built again: a pure decision over its recent crashes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GiveUp", "Restart", "RestartHistory", "SupervisionPolicy"]


@dataclass(frozen=True, slots=True)
class RestartHistory:
    """When an actor was restarted, in monotonic seconds, oldest first. Only what the window still covers."""

    restarts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Restart:
    """Build it again after `delay` seconds, and decide the next crash with `history`."""

    delay: float
    history: RestartHistory


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Leave it down: it crashed again after `restarts` restarts within the window."""

    restarts: int


@dataclass(frozen=True, slots=True)
class SupervisionPolicy:
    """At most `max_restarts` within any `window` seconds; the n-th waits `backoff * factor ** (n - 1)`
    seconds.

    A crash with an error of the types `fatal` is never followed by a restart.
    """

    max_restarts: int = 5
    window: float = 60.0
    backoff: float = 0.1
    factor: float = 2.0
    backoff_max: float = 10.0
    fatal: tuple[type[BaseException], ...] = ()

    def decide(self, history: RestartHistory, now: float, error: BaseException) -> Restart | GiveUp:
        """Decide a crash at `now`. An actor that ran for a whole window without a crash starts afresh."""
        recent = tuple(at for at in history.restarts if now - at < self.window)
        if len(recent) >= self.max_restarts or isinstance(error, self.fatal):
            return GiveUp(len(recent))
        return Restart(self._delay(len(recent)), RestartHistory((*recent, now)))

    def _delay(self, restarts: int) -> float:
        try:
            return min(self.backoff_max, self.backoff * self.factor**restarts)
        except OverflowError:
            return self.backoff_max
