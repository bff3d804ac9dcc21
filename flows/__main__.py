"""`python -m flows` is the `darkroom` command."""

import sys

from flows.command.app import main

if __name__ == "__main__":
    sys.exit(main())
