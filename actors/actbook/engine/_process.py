"""Settings of a whole Python process that belongs to the engine."""

from __future__ import annotations

import gc
import sys

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that computes gives way: the loop waits that long for the lock when a commit returns."""

COLLECTION_THRESHOLDS = (20_000, 20, 20)
"""Thousands of executions alive are no garbage: looking through them less often is worth a few megabytes."""


def tune_process() -> None:
    """Sets the interpreter's switch interval and the garbage collector's thresholds for running many graphs at once.

    Both belong to the process, so the engine never touches them by itself: call this in a program of your own, as
    `actbook run` and `actbook worker` do, and not in a library.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*COLLECTION_THRESHOLDS)
