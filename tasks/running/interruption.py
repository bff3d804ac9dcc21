"""Ctrl-C and `kill` that stop a step even where a library catches every exception.

Keras does while it reads the losses of a batch and while it saves a model: what a signal raises
just then is gone, and the training goes on as if nobody had asked it to stop.
"""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

# Ctrl-C, `kill`, and a terminal that is closed.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def interrupted_by_all() -> None:
    """Have each of SIGNALS interrupt this process as Ctrl-C does.

    A signal that is ignored stays so: `nohup` means it.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


@contextlib.contextmanager
def heeded() -> Iterator[Callable[[], None]]:
    """A function that raises again what a signal raised during the block, if that was caught.

    It is called at the end as well. What a signal raises is up to its handler, which stays in its
    place: Prefect tells a cancelled run from a crashed one only while its own is there. Python
    writes down every signal that it handles; signals that are ignored, or that end the process, do
    so still. Outside of the main thread, which alone hears signals, the function does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.settimeout(0)
        writer.settimeout(0)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield lambda: _raise_again(reader)
        finally:
            signal.set_wakeup_fd(before)
        _raise_again(reader)


def _raise_again(heard: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        for number in heard.recv(4096):
            handler = signal.getsignal(number)
            if number in SIGNALS and callable(handler):
                handler(number, None)
