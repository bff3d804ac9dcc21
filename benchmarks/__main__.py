"""Every benchmark, one after the other: `make bench`, or `python -m benchmarks NAME…` for some.

Each prints what it measured and writes benchmarks/results/<name>.json.
"""

import importlib
import pkgutil
import sys
from pathlib import Path

import benchmarks

FOLDER = Path(__file__).parent
NOT_TIMED = ("__main__", "measuring", "experiments", "edits")


def names() -> list[str]:
    """The benchmarks there are."""
    found = (module.name for module in pkgutil.iter_modules([str(FOLDER)]))
    return sorted(name for name in found if name not in NOT_TIMED)


def main(wanted: list[str]) -> int:
    """Run those wanted, or all; 2 if there is none of that name."""
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(names())}")
        return 2
    for name in wanted or names():
        print(f"== {name}", flush=True)
        importlib.import_module(f"{benchmarks.__name__}.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
