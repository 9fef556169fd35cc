"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

_LOWEST, _BEYOND = 15_000, 32_000
"""Below those that a system hands out to clients: one that calls a server that is down must not get its port."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    with ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", random.SystemRandom().randrange(_LOWEST, _BEYOND)))
            except OSError:
                continue
            found.append(probe.getsockname()[1])
        return found
