"""Names in the order that people expect: `cat.2.jpg` before `cat.10.jpg`."""

import re


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sorts `cat.2.jpg` before `cat.10.jpg`: runs of digits compare as numbers."""
    return [_part_key(part) for part in re.split(r"([0-9]+)", text)]


def _part_key(part: str) -> tuple[int, int, str]:
    if not (part.isascii() and part.isdigit()):
        return 1, 0, part
    # The longer number is the larger one. int() would refuse more than 4,300 digits.
    digits = part.lstrip("0")
    return 0, len(digits), digits
