"""Every benchmark, one after the other: `make bench`, or `python -m benchmarks NAME…` for some.

Each prints what it measured and writes benchmarks/results/<name>.json.
"""

import importlib
import pkgutil
import sys

from benchmarks import quality, speed

NOT_TIMED = ("edits",)


def modules() -> dict[str, str]:
    """The module of each benchmark, by its name."""
    return {
        module.name: f"{wing.__name__}.{module.name}"
        for wing in (quality, speed)
        for module in pkgutil.iter_modules(wing.__path__)
        if module.name not in NOT_TIMED
    }


def main(wanted: list[str]) -> int:
    """Run those wanted, or all; 2 if there is none of that name."""
    known = modules()
    if unknown := set(wanted) - set(known):
        print(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
        return 2
    for name in wanted or sorted(known):
        print(f"== {name}", flush=True)
        importlib.import_module(known[name]).main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
