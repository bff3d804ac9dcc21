"""Which class a picture's name claims, so that a prediction can be called correct or incorrect.

A class is claimed by the file's own name, else by the folder that holds it, where that is named
after the class and nothing else: `test1` claims no 1. Otherwise nothing is claimed. In the file's
name

1. Kaggle's form decides: `cat.0.jpg` is a cat, `3.17.png` is a 3;
2. else the one class whose words stand in it: `pikachu_counter.png`, `my-red-fox2.jpg`.

Words are runs of letters or runs of digits, so that underscores and digits separate, and they count
whole and in any case: `catalogue.jpg` claims no cat. The longer of two names counts where one is
part of the other (`red fox`, `fox`). A name that holds two classes (`cat-and-dog.jpg`) claims
neither, and is not overruled by its folder.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from tasks.acquire.layout.understanding import by_pattern
from tasks.acquire.parameters import KAGGLE_NAMES

WORD = re.compile(r"[^\W\d_]+|\d+")
LONGEST = 1000

Words = tuple[str, ...]


def claimed(file: str, folder: str, classes: Sequence[str]) -> str:
    """The class that a picture's name claims, '' if none: `file` without, `folder` of its path."""
    kaggle = by_pattern(KAGGLE_NAMES)(file)
    if kaggle in classes:
        return kaggle
    named = _named(PurePosixPath(file).stem, classes) or _called(folder, classes)
    return named[0] if len(named) == 1 else ""


def _called(folder: str, classes: Sequence[str]) -> list[str]:
    """The classes whose words are all of the folder's."""
    words = _words(folder)
    return [one for one in classes if words and _words(one) == words]


def _named(name: str, classes: Sequence[str]) -> list[str]:
    """The classes whose words stand in `name`, without those that are part of a longer one."""
    words = _words(name)
    places = {one: _places(words, _words(one)) for one in classes}
    covered = [span for spans in places.values() for span in spans]
    return [
        one for one, spans in places.items() if any(not _inside(span, covered) for span in spans)
    ]


@functools.lru_cache(maxsize=4096)
def _words(text: str) -> Words:
    return tuple(WORD.findall(unicodedata.normalize("NFC", text[:LONGEST]).casefold()))


def _places(words: Words, wanted: Words) -> list[range]:
    length = len(wanted)
    starts = range(len(words) - length + 1) if wanted else ()
    return [range(at, at + length) for at in starts if words[at : at + length] == wanted]


def _inside(span: range, others: list[range]) -> bool:
    return any(
        len(other) > len(span) and other.start <= span.start and span.stop <= other.stop
        for other in others
    )
