"""Options that several verbs share: inputs, stand-ins, and how long to stay for the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class Given:
    """Inputs by name."""

    input: Annotated[
        list[str] | None,
        Parameter(
            name="--input",
            help="One input. VALUE is taken as JSON when it is JSON (8, true, [1,2]), else as text. NAME=@FILE takes a file's"
            " text, NAME:=JSON takes nothing but JSON. Repeat it for more inputs.",
        ),
    ] = None
    inputs_file: Annotated[
        Path | None, Parameter(help="JSON file with an object: name → value. --input wins over it.")
    ] = None

    def read(self) -> dict[str, Any]:
        """Raises one of the command's errors with the remedy."""
        from actbook.cli._inputs import read_inputs

        return read_inputs(self.input or (), self.inputs_file)


@Parameter(name="*")
@dataclass(frozen=True)
class StandIns:
    """What takes the place of blocks that are not installed."""

    simulate: Annotated[
        bool, Parameter(help="Put visible stand-ins in place of blocks that are not installed.")
    ] = False
    simulate_file: Annotated[
        Path | None,
        Parameter(
            help="JSON file with what the stand-ins yield, by node id, block id or block name. Implies --simulate."
        ),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Staying:
    """Whether the command stays until the end."""

    timeout: Annotated[
        float | None, Parameter(help="Seconds to wait for the end. The execution itself goes on after it.")
    ] = None
    detach: Annotated[bool, Parameter(help="Only record the request; whoever owns the store does it.")] = (
        False
    )


NO_INPUTS = Given()
NO_STAND_INS = StandIns()
TO_THE_END = Staying()
