"""What a server takes, and how much of it: every bound of its memory and patience."""

from dataclasses import dataclass

from storage.errors import ParameterError

MAX_BYTES = 10 * 2**20
# A 24-megapixel camera's picture; while one is decoded and resized it takes up to 15 bytes a pixel,
# and some more where it has transparency and 16 bits.
MAX_PIXELS = 25_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds of one server. Memory: `waiting` bodies and their pictures, at the model's size."""

    max_bytes: int = MAX_BYTES  # of a request's body
    max_pixels: int = MAX_PIXELS  # of a picture
    pictures: int = 16  # in one request
    waiting: int = 64  # requests being read, waiting or being answered
    batch: int = 32  # pictures in one computation
    decoders: int = 2  # pictures decoded at once, in all their pixels
    upload_seconds: float = 60.0  # for a request's body to arrive
    head_seconds: float = 20.0  # for a request's line and header fields to arrive
    rest_seconds: float = (
        5.0  # to go on taking a body that was refused, so that the answer is heard
    )
    answer_seconds: float = 60.0  # for a client to take what it is being sent
    stop_seconds: int = 30  # for requests in flight when the server is told to stop

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise ParameterError(f"expected a limit of at least 1 byte, found {self.max_bytes}")
