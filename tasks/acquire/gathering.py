"""What the rows of a collection are gathered with, whatever the kind of its source."""

from typing import Literal, NamedTuple

from storage.images import ImageStore
from storage.workspace import Workspace
from tasks.running.progress import Advance

Again = Literal["no", "failed", "all"]


class Gathering(NamedTuple):
    """Where pictures go, and which addresses that were visited before are visited once more."""

    workspace: Workspace
    again: Again
    advance: Advance

    @property
    def images(self) -> ImageStore:
        """Where pictures go."""
        return ImageStore(self.workspace.images)
