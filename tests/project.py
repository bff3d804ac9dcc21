"""Where the project is, whatever folder a test lies in."""

import os
from pathlib import Path

from hypothesis import settings

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"

# `make quick` caps the examples of each property; the whole suite tries them all.
MOST_EXAMPLES = int(os.environ.get("DARKROOM_MOST_EXAMPLES", "1000"))


def examples(count: int) -> settings:
    """How many examples a property is tried on; how long each takes says nothing."""
    return settings(max_examples=min(count, MOST_EXAMPLES), deadline=None)
