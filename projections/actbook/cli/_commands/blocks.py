"""`actbook blocks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.graphs import Block, PinSchema


def blocks(
    action: Literal["ls", "show"] = "ls", name: str | None = None, /, *, options: Options = DEFAULTS
) -> int:
    """Lists the installed blocks, or shows one with its pins.

    Parameters
    ----------
    action
        ls lists all, show shows one.
    name
        The block's name or id; of `ls`: only blocks with this text in their name.
    """
    from actbook.cli._problems import UsageError

    if action == "ls":
        return _ls(name, options)
    if name is None:
        raise UsageError("Name the block: actbook blocks show CalculatorBlock")
    return _show_one(name, options)


def _ls(text: str | None, options: Options) -> ExitCode:
    from actbook.blocks import default_registry
    from actbook.cli._printing import print_ids, print_json

    found = [each for each in default_registry() if text is None or text.lower() in each.name.lower()]
    if options.output == "json":
        print_json([_summary(each) for each in found])
    elif options.output == "ids":
        print_ids(each.id for each in found)
    else:
        _show_table(found)
    return ExitCode.OK


def _show_table(found: list[Block]) -> None:
    from rich.table import Table
    from rich.text import Text

    from actbook.cli._printing import show

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for title in ("name", "type", "id"):
        table.add_column(title, no_wrap=True)
    table.add_column("inputs → outputs", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in found:
        pins = f"{', '.join(each.input_schema.names)} → {', '.join(each.output_schema.names)}"
        table.add_row(each.name, str(each.block_type), each.id, Text(pins, style="dim"))
    show(table)


def _show_one(name: str, options: Options) -> ExitCode:
    from actbook.cli._printing import print_ids, print_json

    found = _find(name)
    if options.output == "json":
        print_json(_record(found))
    elif options.output == "ids":
        print_ids([found.id])
    else:
        _show_block(found)
    return ExitCode.OK


def _find(name: str) -> Block:
    import difflib

    from actbook.blocks import default_registry
    from actbook.cli._problems import MissingError

    by_id = default_registry().lookup(name)
    if by_id is not None:
        return by_id
    wanted = name.lower().removesuffix("block")
    named = {each.name.lower().removesuffix("block"): each for each in default_registry()}
    if wanted in named:
        return named[wanted]
    near = difflib.get_close_matches(wanted, named, n=1)
    hint = (
        f"Did you mean {named[near[0]].name}?" if near else "`actbook blocks` lists those that are installed."
    )
    raise MissingError(f"There is no block {name!r}. {hint}")


def _show_block(found: Block) -> None:
    from rich.text import Text

    from actbook.cli._printing import show

    show(Text.assemble((found.name, "bold"), f"  {found.block_type}  ", (found.id, "dim")))
    if found.description:
        show(found.description)
    for title, schema in (("inputs", found.input_schema), ("outputs", found.output_schema)):
        show(Text(title, style="bold"))
        for pin in _pins(schema):
            need = " (required)" if pin["required"] and title == "inputs" else ""
            show(Text.assemble(f"  {pin['name']}: ", (f"{pin['type']}{need}", "dim")))


def _summary(found: Block) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "type": str(found.block_type),
        "description": found.description,
        "static_output": found.static_output,
        "effects": found.effects,
        "execution": found.execution,
    }


def _record(found: Block) -> dict[str, Any]:
    return {
        **_summary(found),
        "input_schema": found.input_schema.json_schema(),
        "output_schema": found.output_schema.json_schema(),
    }


def _pins(schema: PinSchema) -> list[dict[str, Any]]:
    return [
        {"name": pin.name, "type": _type_of(dict(pin.json_schema)), "required": pin.required}
        for pin in schema.fields.values()
    ]


def _type_of(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type_of(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array" and schema.get("items"):
        return f"list of {_type_of(schema['items'])}"
    return {"array": "list", "object": "object", "string": "text"}.get(str(kind), str(kind))
