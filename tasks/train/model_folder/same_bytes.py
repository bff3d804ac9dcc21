"""A `.keras` file without what differs from one saving to the next: dates, and addresses in memory.

So the same training gives the same bytes, and its SHA-256 is one that others can compare.
"""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

CONFIG, METADATA = "config.json", "metadata.json"
SHARED = "shared_object_id"
NEVER = "1980-01-01@00:00:00"  # the first moment that a zip can tell


def settle(path: Path) -> None:
    """Rewrite a file that Keras saved; what it loads as stays the same."""
    settled = path.with_suffix(".settled")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(settled, "w") as new:
        for member in old.infolist():
            # Without a date of its own an entry has the first that there is.
            entry = zipfile.ZipInfo(member.filename)
            entry.compress_type = member.compress_type
            with old.open(member) as source, new.open(entry, "w", force_zip64=True) as target:
                if member.filename in (CONFIG, METADATA):
                    value = _settled(json.load(source), {})
                    target.write(json.dumps(value).encode())
                else:
                    shutil.copyfileobj(source, target)
    settled.replace(path)


def _settled(value: Any, numbers: dict[int, int]) -> Any:
    """The same, with shared objects numbered as they come, and no date."""
    if isinstance(value, list):
        return [_settled(one, numbers) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _settled(one, numbers) for name, one in value.items()}
    if SHARED in found and found[SHARED] is not None:
        found[SHARED] = numbers.setdefault(found[SHARED], len(numbers) + 1)
    if "date_saved" in found:
        found["date_saved"] = NEVER
    return found
