"""What a server takes, and how much of it: every bound of its memory and patience."""

from dataclasses import dataclass

from storage.errors import ParameterError

MAX_BYTES = 10 * 2**20
# A 24-megapixel camera's picture; while one is decoded and resized it takes up to 15 bytes a pixel,
# and some more where it has transparency and 16 bits.
MAX_PIXELS = 25_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds of one server.

    Memory: `held_bytes` of bodies, `small_bytes` more of each that is `waiting`, and the pictures
    of `working` requests, at the model's size.
    """

    max_bytes: int = MAX_BYTES  # of a request's body
    max_pixels: int = MAX_PIXELS  # of a picture
    pictures: int = 16  # in one request
    waiting: int = 1024  # requests being read, waiting or being answered
    working: int = 64  # requests whose pictures are decoded and computed at once
    held_bytes: int = 512 * 2**20  # of all bodies that are there at once
    small_bytes: int = 256 * 2**10  # of a body that is taken however much is held
    batch: int = 32  # pictures in one computation
    decoders: int = 2  # pictures decoded at once, in all their pixels
    upload_seconds: float = 60.0  # for a request's body to arrive
    slowest: int = 16 * 2**10  # bytes a second of a body, on average, …
    slow_seconds: float = 5.0  # … once so much time has passed
    queue_seconds: float = 30.0  # for a request to wait until it is worked on
    head_seconds: float = 20.0  # for a request's line and header fields to arrive
    rest_seconds: float = (
        5.0  # to go on taking a body that was refused, so that the answer is heard
    )
    answer_seconds: float = 60.0  # for a client to take what it is being sent
    stop_seconds: int = 30  # for requests in flight when the server is told to stop

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise ParameterError(f"expected a limit of at least 1 byte, found {self.max_bytes}")
