"""Tables in text form."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from actbook.graphs import Block, ExecutionContext

from .._ports import files_for_run
from .._time_bound import Outputs, within

_HEAVY = 100_000


class ReadSpreadsheetBlock(Block):
    """Reads CSV. `skip_columns` takes header names or column numbers; a cell beyond the header is called by
    its number.
    """

    id = "acf7625e-d2cb-4941-bfeb-2819fc6fc015"
    description = "Reads a table into dictionaries, one per row."
    effects = False

    class Input(msgspec.Struct, kw_only=True):
        contents: str | None = None
        file_input: str | None = None
        delimiter: str = ","
        quotechar: str = '"'
        escapechar: str = "\\"
        has_header: bool = True
        skip_rows: int = 0
        strip: bool = True
        skip_columns: list[Any] = []
        produce_singular_result: bool = False

    class Output(msgspec.Struct):
        row: dict[str, str]
        rows: list[dict[str, str]]

    async def run(self, input: Input, context: ExecutionContext) -> AsyncIterator[tuple[str, Any]]:
        contents = await _contents(input, context)

        def work(seconds: float) -> Outputs:
            rows = read_rows(contents, input)
            if input.produce_singular_result:
                return [("row", row) for row in rows]
            return [("rows", rows)]

        outputs = within(work, math.inf, list, heavy=len(contents) > _HEAVY)
        if isinstance(outputs, AsyncIterator):
            async for output in outputs:
                yield output
        else:
            for output in outputs:
                yield output


async def _contents(input: ReadSpreadsheetBlock.Input, context: ExecutionContext) -> str:
    if input.file_input:
        raw = await files_for_run.get().read(context, input.file_input)
        return raw.decode("utf-8-sig", errors="replace")
    if input.contents:
        return input.contents
    raise ValueError("Either 'contents' or 'file_input' must be provided")


def read_rows(contents: str, options: ReadSpreadsheetBlock.Input) -> list[dict[str, str]]:
    """Rows as dictionaries by header, or by column number without one. Raises ValueError for faulty text."""
    try:
        lines = csv.reader(
            io.StringIO(contents, newline=""),
            delimiter=options.delimiter,
            quotechar=options.quotechar or None,
            escapechar=options.escapechar or None,
            quoting=csv.QUOTE_MINIMAL if options.quotechar else csv.QUOTE_NONE,
        )
        cells = [[cell.strip() for cell in line] if options.strip else line for line in lines]
    except (TypeError, csv.Error) as error:
        raise ValueError(f"Cannot read the table: {error}") from None
    header = cells[0] if options.has_header and cells else []
    first = (1 if options.has_header else 0) + max(options.skip_rows, 0)
    skipped = {str(column) for column in options.skip_columns}
    return [_row(line, header, skipped) for line in cells[first:]]


def _row(line: list[str], header: list[str], skipped: set[str]) -> dict[str, str]:
    names: Iterator[tuple[str, str]] = (
        (str(number), header[number] if number < len(header) else str(number)) for number in range(len(line))
    )
    return {
        name: cell
        for (number, name), cell in zip(names, line, strict=True)
        if number not in skipped and name not in skipped
    }
