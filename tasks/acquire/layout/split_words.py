"""The words that people have for train, validation and test."""

import re
from collections.abc import Iterable

from storage.references import SPLITS

WORDS = {
    "train": "train", "training": "train", "trn": "train", "tr": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "validate": "validation", "development": "validation",
    "test": "test", "testing": "test", "tst": "test", "holdout": "test", "te": "test",
    "eval": "test", "evaluation": "test",
}  # fmt: skip
# Too short to be a folder's name and mean it.
SHORT = frozenset({"tr", "te", "trn", "tst"})


def of_folder(name: str) -> str:
    """The split that a folder of this name holds; '' for another name."""
    word = name.strip().casefold().rstrip("0123456789").rstrip("-_ ")
    for end in ("_set", "-set", "set", "_images", "-images", "_data"):
        word = word.removesuffix(end) if word.removesuffix(end) in WORDS else word
    return "" if word in SHORT else WORDS.get(word, "")


def with_one_more_word(names: Iterable[str]) -> dict[str, str]:
    """Folder -> split of `seg_train`, `seg_test`: all have the same words beside the split's.

    Where one has others it is none: `train_station` and `test_tube` are classes.
    """
    found, others = {}, set()
    for name in names:
        words = re.split(r"[_\- ]+", name.casefold())
        splits = [word for word in words if word in WORDS and word not in SHORT]
        if len(splits) == 1:
            found[name] = WORDS[splits[0]]
            others.add(tuple(word for word in words if word not in splits))
    return found if len(others) == 1 else {}


def of_cell(text: str) -> str:
    """The split that a table's cell means; '' for another text."""
    return WORDS.get(text.strip().casefold(), "")


def of_file(stem: str) -> str:
    """The split that a list or a table is of, as its name says: `train`, `labels_val`."""
    words = stem.casefold().replace("-", "_").split("_")
    found = {WORDS[word] for word in words if word in WORDS and word not in SHORT}
    return found.pop() if len(found) == 1 else ""


assert set(WORDS.values()) == set(SPLITS)
