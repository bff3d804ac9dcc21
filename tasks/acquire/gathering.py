"""What the rows of a collection are gathered with, whatever the kind of its source."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from storage.images import ImageStore
from storage.workspace import Workspace
from tasks.running.progress import Advance

Again = Literal["no", "failed", "all"]


class Gathering(NamedTuple):
    """Where pictures go, and which addresses that were visited before are visited once more.

    `lists` are the files that say which pictures a split has (split -> file).
    """

    workspace: Workspace
    again: Again
    advance: Advance
    lists: Mapping[str, str] = MappingProxyType({})

    @property
    def images(self) -> ImageStore:
        """Where pictures go."""
        return ImageStore(self.workspace.images)
