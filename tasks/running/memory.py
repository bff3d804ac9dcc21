"""Memory that a finished step has let go of, given back to the system before the next one begins.

The C library keeps what was freed for itself; after steps that look at a hundred thousand pictures
that is hundreds of megabytes, beside those that TensorFlow is about to take.
"""

import ctypes
import sys


def give_back() -> None:
    """Where the C library can (glibc's malloc_trim); elsewhere nothing."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
