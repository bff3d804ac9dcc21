"""The pictures of a page: each one's bytes stand in it once, however often it shows."""

from collections.abc import Mapping, Sequence


class Album:
    """Thumbnails by stored image name, handed out while a page is rendered from top to bottom.

    The first place that shows a picture carries its bytes; the page's script copies them to the
    others. `wanted` is the order in which pictures were asked for, their number is their position.
    """

    def __init__(self, wanted: Sequence[str], thumbnails: Mapping[str, str]) -> None:
        self.numbers = {name: number for number, name in enumerate(dict.fromkeys(wanted))}
        self._thumbnails = thumbnails
        self._placed: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether there was room for this picture."""
        return name in self._thumbnails

    def number(self, name: str) -> int:
        """By which number the script knows the picture."""
        return self.numbers[name]

    def first(self, name: str) -> str:
        """The picture's bytes as a data URI the first time, '' ever after."""
        if name in self._placed:
            return ""
        self._placed.add(name)
        return self._thumbnails[name]

    def rest(self) -> dict[int, str]:
        """By number, the pictures that no place has carried yet; to be asked for last."""
        return {
            self.numbers[name]: uri
            for name, uri in self._thumbnails.items()
            if name not in self._placed
        }

    @property
    def left_out(self) -> int:
        """How many pictures there was no room for, or nothing to show of."""
        return len(self.numbers) - len(self._thumbnails)
