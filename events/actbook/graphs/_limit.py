"""How often a block may run, beside the places that all blocks share."""

from __future__ import annotations

import msgspec


class BlockLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A bound on the bodies of one block, over all executions of an engine.

    - `block`: id or name of the block; empty in the declaration of a block class, which means itself
    - `concurrent`: bodies at once; None = any number
    - `per_seconds`: `(count, seconds)`: so many starts at once, and then again as they grow back evenly, `count` in `seconds`
    - `key`: an input pin; executions with different values there are bound separately. A credentials pin counts by the id of
      the credentials. None: all are bound together
    """

    block: str = ""
    concurrent: int | None = None
    per_seconds: tuple[int, float] | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if self.concurrent is not None and self.concurrent < 1:
            raise ValueError(f"BlockLimit: `concurrent` must be at least 1 or None, not {self.concurrent}.")
        if self.per_seconds is not None and (self.per_seconds[0] < 1 or not self.per_seconds[1] > 0):
            raise ValueError(
                "BlockLimit: `per_seconds` must be (count, seconds) with at least 1 in more than 0 seconds, "
                f"not {self.per_seconds}."
            )
        if self.concurrent is None and self.per_seconds is None:
            raise ValueError("BlockLimit: give `concurrent`, `per_seconds` or both.")
