"""`python -m docs.reference`: writes the reference pages that follow from the code."""

from __future__ import annotations

from docs.reference.pages import PAGES, write

if __name__ == "__main__":
    for name in PAGES:
        print(write(name))
