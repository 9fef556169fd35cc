"""A text that shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any, NoReturn, Self, final

_MASK = "**********"


@final
class Secret:
    """Holds a secret text: `reveal()` is the only way to it.

    `str`, `repr` and formatting give asterisks. JSON and MessagePack encoders refuse it, and so does pickle.
    Copies are the same object. Two secrets are equal when their texts are.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Raises ValueError for what is no text, or a text that UTF-8 cannot hold."""
        if not (isinstance(text, str) and _is_utf8(text)):
            raise ValueError("A secret must be a text that UTF-8 can hold.")
        self._text = text

    def reveal(self) -> str:
        """The text. Use it where it is needed, and put it into no output, error or log."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret('{_MASK}')"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._text.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A secret is not pickled: pass the id of its credentials on, and look them up there.")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
