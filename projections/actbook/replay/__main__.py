"""`python -m actbook.replay`: checks proofs, as a copy of `proof.py` does."""

from __future__ import annotations

import sys

from actbook.replay.proof import main

if __name__ == "__main__":
    sys.exit(main())
