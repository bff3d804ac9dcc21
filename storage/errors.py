"""Every error that Darkroom raises on purpose.

    DarkroomError
    ├── ParameterError       the words of an experiment are wrong
    ├── SourceError          the source cannot be used
    │   ├── SourceMissing
    │   ├── SourceDamaged
    │   ├── SourceTooLarge
    │   └── SourceChanged
    ├── NoUsablePictures     nothing, or one class only, is left to learn from
    ├── SplitError           the split asked for cannot be made
    │   ├── EmptySplit
    │   └── NotEnoughPictures
    ├── WeightsError         a backbone's weights cannot be trusted or found
    │   ├── WeightsMissing
    │   └── WeightsDamaged
    ├── StorageError         the workspace cannot be written or read
    │   ├── WorkspaceReadOnly
    │   ├── WorkspaceNewer
    │   ├── WorkspaceOnNetwork
    │   ├── NameTaken
    │   ├── StorageFull
    │   ├── StorageDamaged
    │   ├── RemoteAway
    │   ├── DatabaseAway
    │   └── NothingToTakeBack
    ├── TrainingDiverged     the loss became NaN or infinite
    ├── ExportDiffers        an exported file does not give what the model gives
    ├── GateClosed           the model is not good enough to be published
    ├── ServerUnreachable    no Prefect server answers at PREFECT_API_URL
    ├── MissingLibrary       a system library is not installed
    └── SystemLimit          the system gives no more memory, files, addresses

A message says what was expected, what was found and what to do.
"""

MEND = "run again, or `darkroom cache verify --repair`, and what is damaged is made anew"
"""What to do about damage."""


class DarkroomError(Exception):
    """Root of the tree: the run cannot give a meaningful result."""


class ParameterError(DarkroomError):
    """An experiment, a field or a value that does not exist or does not fit."""


class SourceError(DarkroomError):
    """A source that cannot be turned into a collection."""


class SourceMissing(SourceError):
    """Nothing is where the source should be."""


class SourceDamaged(SourceError):
    """The container (zip, tar, CSV) cannot be read."""


class SourceTooLarge(SourceError):
    """The source unpacks to more bytes than its limit allows."""


class SourceChanged(SourceError):
    """The source was written to while it was being read."""


class NoUsablePictures(DarkroomError):
    """Fewer than two classes with pictures are left."""


class SplitError(DarkroomError):
    """The asked split cannot be made from these pictures."""


class EmptySplit(SplitError):
    """A class would have no picture in one of the splits."""


class NotEnoughPictures(SplitError):
    """More pictures are asked for than there are."""


class WeightsError(DarkroomError):
    """A backbone without trustworthy weights."""


class WeightsMissing(WeightsError):
    """The weights are in none of the places that were looked at."""


class WeightsDamaged(WeightsError):
    """Weights were found, but they are not the published ones."""


class StorageError(DarkroomError):
    """The workspace failed."""


class WorkspaceReadOnly(StorageError):
    """The workspace cannot be written to."""


class WorkspaceNewer(StorageError):
    """The workspace was written by a Darkroom that stores things in a way not known here."""


class WorkspaceOnNetwork(StorageError):
    """The workspace lies on a network file system, where SQLite's WAL is not safe."""


class NameTaken(StorageError):
    """Another experiment's folders would be this one's: their names differ in capitals alone."""


class StorageFull(StorageError):
    """No space, or no quota, is left for a result."""


class StorageDamaged(StorageError):
    """A stored result does not hold what its reference says."""


class RemoteAway(StorageError):
    """What DARKROOM_REMOTE names does not answer, or refuses."""


class DatabaseAway(StorageError):
    """The database of DARKROOM_DATABASE does not answer."""


class NothingToTakeBack(StorageError):
    """No model of the experiment was published before the current one."""


class TrainingDiverged(DarkroomError):
    """The loss is no finite number any more: the weights mean nothing."""


class ExportDiffers(DarkroomError):
    """A file for another runtime gives other answers than the model."""


class GateClosed(DarkroomError):
    """The model is not good enough to be published."""


class ServerUnreachable(DarkroomError):
    """Prefect's server, where PREFECT_API_URL says it is, does not answer."""


class MissingLibrary(DarkroomError):
    """A shared library of the operating system is missing."""


class SystemLimit(DarkroomError):
    """The operating system gives no more memory, open files or addresses, or takes no such path."""
