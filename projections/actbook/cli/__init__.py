"""The command line: `actbook VERB …`. Nothing heavy is imported before the verb is known."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. `arguments` None takes those of the process."""
    from actbook.cli._app import main as run

    return run(arguments)
