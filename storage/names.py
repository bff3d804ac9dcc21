"""Names from strangers, made fit to be a file or folder name."""

import re
import unicodedata

LONGEST = 120
# Reserved on some file system, or able to leave the folder; everything else is kept as it is.
UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


def as_file_name(text: str) -> str:
    """`text` as one path component: no separators, control characters or leading dots."""
    flat = UNFIT.sub("_", unicodedata.normalize("NFC", text)).strip(" ").lstrip(".").rstrip(". ")
    while len(flat.encode()) > LONGEST:
        flat = flat[: len(flat) // 2 - 4] + "…" + flat[len(flat) // 2 + 4 :]
    return flat or "_"


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sorts `cat.2.jpg` before `cat.10.jpg`: runs of digits compare as numbers."""
    return [_part_key(part) for part in re.split(r"([0-9]+)", text)]


def _part_key(part: str) -> tuple[int, int, str]:
    if not (part.isascii() and part.isdigit()):
        return 1, 0, part
    # The longer number is the larger one. int() would refuse more than 4,300 digits.
    digits = part.lstrip("0")
    return 0, len(digits), digits
