"""What `extract` is told beside the network: how changed views are drawn."""

from tasks.pictures.parameters import Augmentation
from tasks.running.parameters import Parameters


class Drawing(Parameters):
    """How the random views of training pictures are drawn."""

    augmentation: Augmentation
    seed: int
