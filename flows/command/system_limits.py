"""What the operating system refused, in words that say what to do."""

import errno
import sys
from pathlib import Path

from storage import atomic
from storage.errors import DarkroomError, SystemLimit

# Addresses that the libraries map even for a few pictures (GiB): what a command was seen to need
# on two cores, and a little more. With fewer they end without a word, or stand still.
ADDRESSES = {"run": 6, "develop": 6, "export": 6, "classify": 3, "serve": 3}
GIBIBYTE = 1 << 30
SHOWN = 80
KEPT = "What is stored is kept: run again"


def require_addresses(command: str) -> None:
    """SystemLimit where `ulimit -v` leaves fewer than this command needs."""
    needed = ADDRESSES.get(command, 0) * GIBIBYTE
    if needed == 0 or sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit not in (resource.RLIM_INFINITY, -1) and limit < needed:
        raise SystemLimit(
            f"`darkroom {command}` needs {needed / GIBIBYTE:.0f} GiB of addresses, found a limit "
            f"of {limit / GIBIBYTE:.1f} (`ulimit -v`): raise it. Most of them are never filled; "
            "what bounds real memory is a control group, as in "
            "`systemd-run --scope -p MemoryMax=4G`"
        )


def explained(error: Exception) -> Exception:
    """The error, or what it means where the system had no more room, files or memory to give."""
    place = getattr(error, "filename", None)
    if not isinstance(error, DarkroomError) and atomic.is_full(error):
        return atomic.full(place or "a file")
    words = None if isinstance(error, DarkroomError) else _words(error, place)
    return error if words is None else SystemLimit(words)


def _words(error: Exception, place: object) -> str | None:
    number = getattr(error, "errno", None)
    # NumPy's and Arrow's are of this kind, too.
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return (
            "no memory left: close other programs, or make what is held smaller "
            f"(training.batch_size, model.image_size). {KEPT}"
        )
    if number in (errno.EMFILE, errno.ENFILE):
        return f"no file can be opened any more, at {_shown(place)}: try `ulimit -n 1024`. {KEPT}"
    if number == errno.ENAMETOOLONG:
        return (
            f"the path {_shown(place)} has {len(str(place)):,} characters, more than this system "
            "takes: name a shorter one (DARKROOM_HOME, source.folder)"
        )
    if number in (errno.ENOTDIR, errno.EEXIST) and place:
        return _in_the_way(Path(str(place)))
    return None


def _in_the_way(place: Path) -> str | None:
    file = next((one for one in (place, *place.parents) if one.is_file()), None)
    if file is None:
        return None
    return (
        f"expected a folder at {_shown(file)}, found a file: move it, or name another folder "
        "(DARKROOM_HOME says where results go)"
    )


def _shown(place: object) -> str:
    text = str(place)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
