"""`actbook doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Broker, Bus, Options

if TYPE_CHECKING:
    from actbook.cli._checks import Finding


def doctor(
    *,
    full: Annotated[bool, Parameter(negative=())] = False,
    broker: Broker = "",
    bus: Bus = "",
    options: Options = DEFAULTS,
) -> int:
    """Checks this machine, the store, and the broker and the bus if there are any, and says what to do about what is wrong.

    Changes nothing.

    Parameters
    ----------
    full
        Verify every execution of the store, not only the newest ones.
    """
    from actbook.cli._checks import examine
    from actbook.cli._printing import print_ids, print_json

    findings = examine(options.store, full)
    if broker or bus:
        from actbook.cli._bridge_checks import examine_broker, examine_bus

        findings += [*examine_broker(broker)] if broker else []
        findings += [*examine_bus(bus)] if bus else []
    if options.output == "json":
        print_json([finding.to_dict() for finding in findings])
    elif options.output == "ids":
        print_ids(finding.name for finding in findings if finding.verdict != "ok")
    else:
        _show(findings)
    return ExitCode.FAULTY if any(finding.verdict == "fail" for finding in findings) else ExitCode.OK


def _show(findings: list[Finding]) -> None:
    from rich.text import Text

    from actbook.cli._printing import show

    styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        verdict = (f"{finding.verdict:<4}", styles[finding.verdict])
        show(Text.assemble(verdict, f"  {finding.name:<{width}}  {finding.text}"))
        if finding.remedy:
            show(Text(f"      {'':<{width}}  → {finding.remedy}"))
