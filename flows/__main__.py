"""``python -m flows`` is ``ffn``."""

import sys

from flows.cli import main

# Worker processes import this module anew; only the first one is to run the command.
if __name__ == "__main__":
    sys.exit(main())
