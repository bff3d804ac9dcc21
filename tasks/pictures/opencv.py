"""The door to OpenCV: quiet, and where a system library is missing, the package is named."""

import os

from storage.errors import MissingLibrary

# What OpenCV thinks of a picture becomes a row; it need not be printed as well.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
try:
    import cv2
except ImportError as error:
    if "libGL" not in str(error) and "libgthread" not in str(error):
        raise
    raise MissingLibrary(
        f"OpenCV cannot start ({error}): expected the system libraries libGL and GLib. Install "
        "them with `apt-get install libgl1 libglib2.0-0` (Debian, Ubuntu) or `dnf install "
        "mesa-libGL glib2` (Fedora)"
    ) from error

# Whoever has many pictures has threads of its own, and OpenVINO's beside them.
cv2.setNumThreads(1)

__all__ = ["cv2"]
