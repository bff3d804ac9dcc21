"""scikit-learn's handwritten digits as a zip shaped like Kaggle's: `train.zip` with `3.17.png`."""

import io
import zipfile
from pathlib import Path

from storage import atomic
from tasks.pictures.decoding import opencv

FIXED_DATE = (2013, 9, 20, 10, 0, 0)
GREYS = 16


def write_zip(target: Path) -> Path:
    """The zip of 1,797 8x8 grey PNG files, the same bytes every time; kept if it is there."""
    if target.exists():
        return target
    inner = _zip_of(_pictures())
    outer = _zip_of({"train.zip": inner, "sampleSubmission.csv": b"id,label\n"})
    return atomic.write_bytes(target, outer)


def _pictures() -> dict[str, bytes]:
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / GREYS)).astype(np.uint8)
    pictures = {}
    for number, (pixels, label) in enumerate(zip(grey, digits.target, strict=True)):
        done, png = opencv().imencode(".png", pixels)
        assert done, label
        pictures[f"digits/{label}.{number}.png"] = png.tobytes()
    return pictures


def _zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), data)
    return buffer.getvalue()
