"""A grid of styled characters."""

from __future__ import annotations

import unicodedata

_MARKS = ("Mn", "Me", "Cf", "Cc")


def width_of(text: str) -> int:
    """Terminal columns of a text."""
    return sum(_width(letter) for letter in text)


def clip(text: str, columns: int) -> str:
    """The text in at most so many columns, with an ellipsis where something is missing."""
    text = "".join(letter for letter in " ".join(text.split()) if _width(letter))
    if width_of(text) <= columns:
        return text
    kept, used = "", 1
    for letter in text:
        if used + _width(letter) > columns:
            break
        kept, used = kept + letter, used + _width(letter)
    return kept + "…"


def _width(letter: str) -> int:
    if unicodedata.category(letter) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


class Canvas:
    """Grows as it is written to. The second column of a wide character holds an empty text."""

    def __init__(self) -> None:
        self._rows: list[list[tuple[str, str]]] = []

    @property
    def height(self) -> int:
        return len(self._rows)

    def put(self, row: int, column: int, text: str, style: str = "") -> None:
        while len(self._rows) <= row:
            self._rows.append([])
        cells = self._rows[row]
        for letter in text:
            while len(cells) <= column + 1:
                cells.append((" ", ""))
            cells[column] = (letter, style)
            column += 1
            if _width(letter) == 2:
                cells[column] = ("", style)
                column += 1

    def get(self, row: int, column: int) -> str:
        cells = self._rows[row] if row < len(self._rows) else []
        return cells[column][0] if column < len(cells) else " "

    def runs(self) -> list[list[tuple[str, str]]]:
        """Each row as texts of one style, without blanks at its end."""
        rows: list[list[tuple[str, str]]] = []
        for cells in self._rows:
            runs: list[tuple[str, str]] = []
            end = max((i + 1 for i, (letter, _) in enumerate(cells) if letter != " "), default=0)
            for letter, style in cells[:end]:
                if runs and runs[-1][1] == style:
                    runs[-1] = (runs[-1][0] + letter, style)
                else:
                    runs.append((letter, style))
            rows.append(runs)
        return rows
