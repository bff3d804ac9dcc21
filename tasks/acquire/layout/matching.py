"""Which picture a text means: a table's cell, or a line of a list, against the files' names.

Names are compared part by part from their end, without case, in composed Unicode, with backslashes
as slashes and without a drive; a picture's suffix may be missing. A number means the file of that
number, zeros in front or not.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tasks.acquire.files import PICTURE_SUFFIXES
from tasks.acquire.layout import split_words

DRIVE = re.compile(r"^(file://)?/?[A-Za-z]:(?=[/\\])|^file://")
LONGEST_NUMBER = 18
LONGEST_NAME = 4096
MANY = 8


class Match(NamedTuple):
    """A picture, by its place among the names, and how well a text fits its name.

    `parents` is how many folders agree. `loose` means that a folder stands in both and differs.
    `number` means that only the numbers agree.
    """

    place: int
    parents: int = 0
    loose: bool = False
    number: bool = False


def parts_of(text: str) -> tuple[str, ...]:
    """The folders and the name of a path, whatever system wrote it."""
    flat = unicodedata.normalize("NFC", text.strip()[:LONGEST_NAME])
    flat = DRIVE.sub("", flat).replace("\\", "/")
    return tuple(part for part in flat.split("/") if part not in ("", "."))


def stem_of(name: str) -> str:
    """The name without a picture's suffix, to be compared."""
    head, dot, suffix = name.rpartition(".")
    known = dot and head and f".{suffix.casefold()}" in PICTURE_SUFFIXES
    return (head if known else name).casefold()


def _add(index: dict[str, int | list[int]], key: str, place: int) -> None:
    """Most keys have one place: a list for each would take twice the memory."""
    before = index.get(key)
    if before is None:
        index[key] = place
    elif isinstance(before, int):
        index[key] = [before, place]
    else:
        before.append(place)


def _listed(places: int | list[int]) -> list[int]:
    return [places] if isinstance(places, int) else places


class Names:
    """The pictures' names, to be found by what others call them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._parts = [parts_of(name) for name in names]
        self._whole: dict[tuple[str, ...], int] = {}
        self._stems: dict[str, int | list[int]] = {}
        self._numbers: dict[int, list[int]] | None = None
        self._under: dict[tuple[str, str], list[int]] | None = None
        for place, parts in enumerate(self._parts):
            if parts:
                self._whole.setdefault(parts, place)
                _add(self._stems, stem_of(parts[-1]), place)

    def __len__(self) -> int:
        return len(self._parts)

    def examples(self, most: int = 3) -> list[str]:
        """Some of the names."""
        return ["/".join(parts) for parts in self._parts[:most]]

    def has_stem(self, stem: str) -> bool:
        """Whether a picture is called so, without its suffix."""
        return stem in self._stems

    def find(self, text: str, folder: str = "", *, numbers: bool = True) -> Match | None:
        """The picture that `text` means, None for none or several.

        `folder` is where the text stands: names in a table may be relative to it.
        """
        parts = parts_of(text)
        if not parts:
            return None
        if folder and (place := self._whole.get((*parts_of(folder), *parts))) is not None:
            return Match(place, len(parts_of(folder)) + len(parts) - 1)
        if (place := self._whole.get(parts)) is not None:
            return Match(place, len(parts) - 1)
        return self._best(parts) or (self._by_number(parts[-1]) if numbers else None)

    def _best(self, parts: tuple[str, ...]) -> Match | None:
        found = _listed(self._stems.get(stem_of(parts[-1]), []))
        if len(found) > MANY and len(parts) > 1:
            found = self._by_parent().get((parts[-2].casefold(), stem_of(parts[-1])), found)
        if not found or (len(found) > MANY * MANY and len(parts) == 1):
            return None
        scored = sorted(((self._score(parts, place), place) for place in found), reverse=True)
        if len(scored) > 1 and scored[0][0] == scored[1][0]:
            return None
        (parents, loose, *_), place = scored[0]
        return None if loose < 0 else Match(place, parents, loose=not loose)

    def _score(self, parts: tuple[str, ...], place: int) -> tuple[int, int, bool, bool]:
        """Folders that agree, then 1 where none differs, 0 where one does (-1: another split)."""
        own = self._parts[place]
        agreeing, fits = 0, 1
        for mine, other in zip(reversed(own[:-1]), reversed(parts[:-1]), strict=False):
            if mine.casefold() != other.casefold():
                splits = {split_words.of_folder(mine), split_words.of_folder(other)} - {""}
                fits = -1 if len(splits) > 1 else 0
                break
            agreeing += 1
        same_suffix = own[-1].casefold() == parts[-1].casefold()
        return agreeing, fits, same_suffix, own[-1] == parts[-1]

    def _by_parent(self) -> dict[tuple[str, str], list[int]]:
        if self._under is None:
            self._under = defaultdict(list)
            for place, own in enumerate(self._parts):
                if len(own) > 1:
                    self._under[own[-2].casefold(), stem_of(own[-1])].append(place)
        return self._under

    def _by_number(self, text: str) -> Match | None:
        if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
            return None
        if self._numbers is None:
            self._numbers = defaultdict(list)
            for stem, places in self._stems.items():
                if stem.isascii() and stem.isdigit() and len(stem) <= LONGEST_NUMBER:
                    self._numbers[int(stem)].extend(_listed(places))
        found = self._numbers.get(int(text), [])
        return Match(found[0], number=True) if len(found) == 1 else None
