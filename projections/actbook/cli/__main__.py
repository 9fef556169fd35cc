"""`python -m actbook.cli`."""

import sys

from actbook.cli import main

if __name__ == "__main__":
    sys.exit(main())
