"""One target fed by atheris for some seconds: `python -m tests.fuzz.feeding zips 600 FOLDER`.

FOLDER gets `corpus/`, what reached new code, and a file `crash-…`, `timeout-…` or `oom-…` for what
was found; then the exit is not 0.
"""

import resource
import sys
from pathlib import Path

import atheris

# Of one input: longer than this is a hang.
SECONDS = 5
# More memory than at the beginning, in MiB, is a leak or a bomb.
GROWTH = 500
LONGEST = 1 << 15


def main() -> None:
    """Feed it until the time is over or something is found."""
    target, seconds, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    with atheris.instrument_imports(include=["tasks", "storage", "flows"]):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.seeds import seeds

    kept = Path(__file__).parent / "corpus" / target
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    given = folder / "seeds"
    given.mkdir(exist_ok=True)
    for number, data in enumerate(seeds(target)):
        TARGETS[target](data)
        (given / str(number)).write_bytes(data)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    places = [str(corpus), str(given), *([str(kept)] if kept.is_dir() else [])]
    atheris.Setup(
        [
            sys.argv[0],
            *places,
            f"-artifact_prefix={folder}/",
            f"-max_total_time={seconds}",
            f"-timeout={SECONDS}",
            f"-rss_limit_mb={used + GROWTH}",
            f"-max_len={LONGEST}",
            "-print_final_stats=1",
        ],
        TARGETS[target],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
