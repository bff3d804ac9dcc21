"""Which Darkroom this is: the package's version, and the commit where it runs from a checkout."""

import functools
import subprocess
from importlib import metadata

from tasks.running.code_fingerprint import PROJECT


@functools.cache
def version() -> str:
    """`0.1.0+3f2a9c1`; without git, or outside of a checkout, the package's version alone."""
    number = metadata.version("darkroom")
    if not (PROJECT / ".git").exists():
        return number
    try:
        words = ["git", "-C", str(PROJECT), "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(words, capture_output=True, text=True, check=True, timeout=5)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return number
    return f"{number}+{commit.stdout.strip()}"
