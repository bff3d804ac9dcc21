"""What is told to whoever errs by a word: one line, with the nearest right one."""

import re
from collections.abc import Sequence

from cyclopts import CycloptsError, UnusedCliTokensError

SETTING = re.compile(r"[a-z_]+(\.[a-z_]+)*=")


def explained(error: CycloptsError, words: Sequence[str]) -> str:
    """What is wrong with `words`; what looks like a setting is told how to be one."""
    over = error.unused_tokens or []
    if over and SETTING.match(over[0]):
        return f"{over[0]!r} is a setting: write --set {over[0]}"
    for option, name, value in zip(words, words[1:], words[2:], strict=False):
        if option == "--set" and "=" not in name and value in over:
            return f"--set takes NAME=VALUE: write --set {name}={value}"
    if isinstance(error, UnusedCliTokensError):
        return f"too many words: {' '.join(over)!r} is left over"
    return " ".join(str(error).split())
