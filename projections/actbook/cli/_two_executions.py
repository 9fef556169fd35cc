"""What `diff` shows of two executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode
from actbook.cli._ids import execution_id
from actbook.cli._printing import note, one_line, print_ids, print_json, seconds, show
from actbook.cli._recorded import graph_of, labels_of
from actbook.cli._session import reading

if TYPE_CHECKING:
    from actbook.cli._options import Options
    from actbook.replay import Change, ExecutionDifference


async def show_difference(a: str, b: str, options: Options) -> ExitCode:
    """Loads both and prints what differs, in the wanted form; with `ids` the paths."""
    async with reading(options) as engine:
        one, two = [
            await engine.history(await execution_id(engine, each, options.user), options.user)
            for each in (a, b)
        ]
        found = one.compare(two)
        labels = labels_of(await graph_of(engine, one.state()))
    if options.output == "json":
        print_json(_record(found))
    elif options.output == "ids":
        print_ids(path for path, _ in _lines(found, {}))
    else:
        _show(found, labels)
    return ExitCode.OK


def _record(found: ExecutionDifference) -> dict[str, Any]:
    nodes = [
        {
            "node_id": node.node_id,
            "occurrence": node.occurrence,
            "a": node.a or None,
            "b": node.b or None,
            "took": node.took,
            "changes": [_change(change) for change in node.changes],
        }
        for node in found.nodes
    ]
    return {"changes": [_change(each) for each in found.changes], "took": found.took, "nodes": nodes}


def _change(change: Change) -> dict[str, Any]:
    """A side that does not exist has no key."""
    from actbook.replay._difference import ABSENT

    record: dict[str, Any] = {"path": change.path}
    if change.before != ABSENT:
        record["before"] = change.before
    if change.after != ABSENT:
        record["after"] = change.after
    return record


def _lines(found: ExecutionDifference, labels: dict[str, str]) -> list[tuple[str, Change]]:
    lines = [(_path(change), change) for change in found.changes]
    for node in found.different:
        name = f"{labels.get(node.node_id, node.node_id)}#{node.occurrence + 1}"
        lines.extend((f"{name}.{_path(change)}", change) for change in node.changes)
    return lines


def _path(change: Change) -> str:
    return ".".join(str(part) for part in change.path)


def _show(found: ExecutionDifference, labels: dict[str, str]) -> None:
    from rich.text import Text

    from actbook.replay._difference import ABSENT

    lines = _lines(found, labels)
    if not lines:
        note("Nothing differs but times.")
    for path, change in lines:
        line = Text.assemble((path, "bold"), "  ")
        if change.before != ABSENT:
            line.append(f"- {one_line(change.before)}  ", style="red")
        if change.after != ABSENT:
            line.append(f"+ {one_line(change.after)}", style="green")
        show(line)
    show(Text(f"took {seconds(found.took[0])} and {seconds(found.took[1])}", style="dim"))
