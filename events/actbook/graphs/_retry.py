"""When a failed node execution is tried again."""

from __future__ import annotations

import builtins
import math

import msgspec

A_YEAR = 366 * 24 * 3600.0


class RetryPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often and when. Declared as `retry` on a block class, or as `metadata["retry"]` on a node, which wins.

    - `attempts`: in all, the first one included; attempts that a crash interrupted don't count
    - the pause before the second attempt is `initial_seconds`, each further one `factor` times as long, at most `max_seconds`
    - `jitter` (0 to 1): up to this part of a pause is left out, so that what failed together does not come back together
    - `errors`: names of exception types; empty = every failure except `CancelledError`. A built-in name stands for its
      subclasses too. A failure that the block told by a yield on `error` has no type: only an empty list covers it

    Raises ValueError for values that make no policy.
    """

    attempts: int = 3
    initial_seconds: float = 1.0
    factor: float = 2.0
    max_seconds: float = 60.0
    jitter: float = 0.5
    errors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("`attempts` must be 1 or more: the first one counts.")
        _check("initial_seconds", self.initial_seconds, 0.0, A_YEAR)
        _check("factor", self.factor, 1.0, 1e9)
        _check("max_seconds", self.max_seconds, 0.0, A_YEAR)
        _check("jitter", self.jitter, 0.0, 1.0)

    def pause(self, failures: int, chance: float) -> float:
        """Seconds from the failure to the next attempt, after so many `failures`; `chance` is drawn from [0, 1)."""
        if not self.initial_seconds:
            return 0.0
        # Compared as logarithms: the power itself may be beyond any number.
        grown = math.log(self.initial_seconds) + (failures - 1) * math.log(self.factor)
        longest = self.max_seconds
        if longest and grown < math.log(longest):
            longest = min(longest, self.initial_seconds * self.factor ** (failures - 1))
        return longest * (1.0 - self.jitter * chance)

    def covers(self, error_type: str) -> bool:
        """Whether a failure with this exception type's name is tried again; an empty name: a yield on `error`."""
        if not self.errors:
            return error_type != "CancelledError"
        return error_type in self.errors or any(_is_built_in(error_type, name) for name in self.errors)


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"`{name}` must be between {least:g} and {most:.9g}, not {value:g}.")


def _is_built_in(error_type: str, name: str) -> bool:
    raised, listed = getattr(builtins, error_type, None), getattr(builtins, name, None)
    return isinstance(raised, type) and isinstance(listed, type) and issubclass(raised, listed)
