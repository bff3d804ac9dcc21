"""Names and texts from strangers, made fit for a file system and for a terminal."""

import re
import unicodedata

LONGEST = 120
# Turns the direction of reading around, steers a terminal, or is seen by nobody.
TURNING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
# Reserved on some file system, or able to leave the folder; everything else is kept as it is.
UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


def as_file_name(text: str) -> str:
    """`text` as one path component: no separators, control characters or leading dots."""
    flat = UNFIT.sub("_", unicodedata.normalize("NFC", text)).strip(" ").lstrip(".").rstrip(". ")
    while len(flat.encode()) > LONGEST:
        flat = flat[: len(flat) // 2 - 4] + "…" + flat[len(flat) // 2 + 4 :]
    return flat or "_"


def suffix_of_name(name: str) -> str:
    """The last part of a name from its dot on, in lower case; '' where there is none."""
    last = name.rpartition("/")[2]
    dot = last.rfind(".")
    return last[dot:].lower() if 0 < dot < len(last) - 1 else ""


def visible(text: str) -> str:
    r"""`text` with what turns reading around, or moves a cursor, shown as its code: `\u202e`.

    Line ends, tabs, and what joins letters of a script stay as they are.
    """
    return TURNING.sub(lambda hit: f"\\u{ord(hit[0]):04x}", text)


def one_line(text: str) -> str:
    """`text` without what would move a terminal's cursor or turn its direction around."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "?" for sign in text)
