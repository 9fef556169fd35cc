"""How the event loop's thread tells the engine what happened."""

import asyncio
from collections.abc import Callable


class Notices:
    """Calls back from the loop, never from within a coordinator; bells due at the same time are told once."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_bell: Callable[[], None],
        on_owner: Callable[[], None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._loop = loop
        self._on_bell = on_bell
        self._on_owner = on_owner
        self._on_change = on_change
        self._bell_due = False
        self._silent = False

    def bell(self) -> None:
        if not self._bell_due:
            self._bell_due = True
            self._loop.call_soon(self._tell_bell)

    def owner(self) -> None:
        self._loop.call_soon(self._tell_owner)

    def change(self) -> None:
        self._loop.call_soon(self._tell_change)

    def silence(self) -> None:
        self._silent = True

    def _tell_bell(self) -> None:
        self._bell_due = False
        if not self._silent:
            self._on_bell()

    def _tell_change(self) -> None:
        if not self._silent:
            self._on_change()

    def _tell_owner(self) -> None:
        if not self._silent:
            self._on_owner()
