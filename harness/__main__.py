"""`python -m harness --golds golds.zip --preds preds.zip`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from harness.cli import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
