"""Every row of the table in docs/experiments.md: `python -m benchmarks.experiments [NAME…]`.

Not a benchmark: it times nothing, and all rows take two hours. The experiments run one after the
other in the user's workspace, where a second call finds what is cached.
"""

import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measuring import SHARED, experiment, write
from benchmarks.quality import ships_and_bikes
from benchmarks.speed.extraction import ARCHIVE

PUBLISHED = {
    "digits": "-",
    "digits-lenet5": "-",
    "cats-and-dogs-baseline": "71 % validation",
    "cats-and-dogs-augmented": "82 % validation",
    "cats-and-dogs-rescale": "91 % validation, 89 % test",
    "cats-and-dogs-small": "- (with VGG16's preprocessing)",
    "cats-and-dogs-finetuned": "95 %",
    "dogs-vs-cats-convnet": "89.4 % validation, of 25,000",
    "dogs-vs-cats-vgg16": "90.7 % validation, of 25,000",
    "pokedex": "97.07 % test, on its author's copy",
    "pokedex-vgg16": "-",
    "pokedex-finetuned": "97.07 % test (the tutorial's network)",
    "ships-and-bikes": "no figure",
}


class Source(NamedTuple):
    """Where an experiment's pictures are: the setting, its value here, its name in the docs."""

    setting: str
    path: Path
    placeholder: str


def source_of(name: str) -> Source | None:
    """The source that an experiment wants to be told; None for one that brings its own."""
    family = name.split("-", maxsplit=1)[0]
    if family in ("digits", "ships"):
        return None
    if family == "pokedex":
        return Source("source.folder", SHARED / "data" / "pokedex", "POKEDEX")
    return Source("source.archive", ARCHIVE, "ZIP")


def result_of(name: str) -> dict[str, Any]:
    """What the experiment gives on this machine's pictures."""
    if name == "ships-and-bikes":
        with ships_and_bikes.source() as settings:
            return experiment(name, *settings)
    source = source_of(name)
    return experiment(name, *([f"{source.setting}={source.path}"] if source else []))


def command(name: str) -> str:
    """What a reader types for one row."""
    if name == "ships-and-bikes":
        return "python -m benchmarks ships_and_bikes"
    source = source_of(name)
    told = f" --set {source.setting}={source.placeholder}" if source else ""
    return f"darkroom run {name}{told}"


def cell(accuracy: dict[str, Any] | None) -> str:
    """Mean, interval and spread as the table has them; a dash without such pictures."""
    if accuracy is None:
        return "-"
    mean, low, high = (f"{100 * accuracy[part]:.1f}" for part in ("mean", "low", "high"))
    spread = f", deviation {100 * accuracy['deviation']:.1f}" if accuracy["repeats"][1:] else ""
    return f"{mean} % ({low} to {high}){spread}"


def main(names: list[str]) -> int:
    """Run those named, or all, and print their rows; 2 if there is none of that name."""
    unknown = set(names) - set(PUBLISHED)
    if unknown or not SHARED.exists():
        print(f"unknown: {', '.join(sorted(unknown))}" if unknown else f"needs {SHARED}")
        return 2
    for name in names or PUBLISHED:
        result = result_of(name)
        found = {split: part["accuracy"] for split, part in result["metrics"].items()}
        seeds = len(found["train"]["repeats"])
        cells = (cell(found.get(split)) for split in ("validation", "test"))
        row = (f"`{name}`", PUBLISHED[name], *cells, str(seeds), f"`{command(name)}`")
        write(
            f"experiments/{name}",
            {"counts": result["counts"], "accuracy": found, "row": f"| {' | '.join(row)} |"},
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
