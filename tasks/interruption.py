"""Ctrl-C and `kill` that stop a step even where a library catches every exception.

Keras does while it reads the losses of a batch and while it saves a model: what a signal raises
just then is gone, and the training goes on as if nobody had asked it to stop.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def heeded() -> Iterator[Callable[[], None]]:
    """A function that raises again what a signal raised during the block, if that was caught.

    It is called at the end as well. What a signal raises is up to the handler that was there
    before; a signal that is ignored, or that ends the process, does so still. Outside of the main
    thread, which alone hears signals, the function does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        handlers[number](number, frame)

    def heed() -> None:
        while heard:
            number = heard.pop()
            handlers[number](number, None)

    for number in handlers:
        signal.signal(number, hear)
    try:
        yield heed
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    heed()
