"""A `.keras` file from a stranger, looked at before Keras sees it.

It is a zip with a description of layers as JSON, and their weights. Keras would run code that it
asks for (Lambda layers, functions of other modules, programs of other libraries), come to the end
of its stack where lists are nested deep, and read for minutes where they are long.
"""

import functools
import json
import lzma
import struct
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from storage import digests
from storage.errors import ParameterError, StorageDamaged
from storage.names import as_file_name

CONFIG = "config.json"
# What such a file holds, and the most bytes of each: of the largest networks there are a tenth.
MEMBERS = {CONFIG: 2**24, "metadata.json": 2**16, "model.weights.h5": 2**33}
# What Python's zipfile and json raise on bytes that they did not expect. RuntimeError: a password,
# or a way to compress that it does not know.
DAMAGE = (
    *(OSError, EOFError, ValueError, KeyError, OverflowError, RuntimeError, struct.error),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
# Networks within networks within networks are nested half as deep.
DEEPEST = 64
# Classes of Keras that run what it cannot look into.
OF_CODE = frozenset(
    {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
)
# Classes that stand for values, and need no module.
OF_VALUES = frozenset(
    {
        *("__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__ellipsis__"),
        *("__slice__", "__bytes__", "__typespec__"),
    }
)
# Parts of Keras that models are made of; others fetch files, or load further code.
PARTS = frozenset(
    {
        *("layers", "models", "ops", "initializers", "regularizers", "constraints", "random"),
        *("activations", "losses", "metrics", "optimizers", "dtype_policies", "backend"),
    }
)


SUFFIX = ".keras"
# Between a file's stem and the beginning of its digest, in the name of a backbone.
MARK = "@"


class Own(NamedTuple):
    """A network of the user's own: what it is called, wherever its file lies, and what it takes.

    `name` is like `birds@1a2b3c4d5e6f7890`; `side` is that of its square pictures (pixels), None if
    any will do.
    """

    name: str
    side: int | None


def names_file(backbone: str) -> bool:
    """Whether the user names a backbone by its file."""
    return backbone.lower().endswith(SUFFIX)


def is_own(name: str) -> bool:
    """Whether a backbone of this name came from a file."""
    return MARK in name


def own(file: Path) -> Own:
    """The network in `file`, looked at once for as long as the file stays as it is.

    ParameterError and StorageDamaged as `require_plain`; ParameterError too if it takes something
    else than square pictures of three colours.
    """
    try:
        status = file.stat()
    except OSError as error:
        raise _no_model(file, str(error.strerror)) from error
    return _own(file, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _own(file: Path, _size: int, _time: int) -> Own:
    shape = _input_shape(_plain(file))
    if shape is None or len(shape) != 4 or shape[3] not in (3, None) or shape[1] != shape[2]:
        raise ParameterError(
            f"expected a network that takes square pictures of three colours, (n, side, side, 3), "
            f"in {file}; found {shape}"
        )
    return Own(f"{as_file_name(file.stem)}{MARK}{digests.of_file(file)[:16]}", shape[1])


def _input_shape(objects: Iterable[dict[str, Any]]) -> list[int | None] | None:
    for one in objects:
        if one.get("class_name") == "InputLayer" and isinstance(one.get("config"), dict):
            shape = one["config"].get("batch_shape")
            if isinstance(shape, list) and all(size is None or type(size) is int for size in shape):
                return shape
    return None


def require_plain(file: Path) -> None:
    """StorageDamaged if it is no `.keras` file, ParameterError if it asks for code to be run."""
    _plain(file)


def _plain(file: Path) -> list[dict[str, Any]]:
    """Every object of the description, none of which asks for code."""
    objects = list(_objects(file, _config(file)))
    for one in objects:
        if "class_name" not in one:
            continue
        name, module = str(one["class_name"]), str(one.get("module") or "")
        if name in OF_CODE or not (name in OF_VALUES or _is_part_of_keras(module)):
            raise ParameterError(
                f"{file} asks for {name[:80]!r} of the module {module[:80]!r}, which could run "
                "anything. Expected a model of Keras's own layers: build it of those, and save it "
                "again"
            )
    return objects


def _is_part_of_keras(module: str) -> bool:
    if module == "keras":
        return True
    below = module.removeprefix("keras.").removeprefix("src.").partition(".")[0]
    return module.startswith("keras.") and below in PARTS


def _config(file: Path) -> Any:
    """What config.json holds."""
    try:
        with zipfile.ZipFile(file) as whole:
            for member in whole.infolist():
                limit = MEMBERS.get(member.filename)
                if limit is None:
                    raise _no_model(file, f"the member {member.filename[:80]!r}")
                if member.file_size > limit:
                    raise _no_model(file, f"{member.file_size:,} bytes of {member.filename}")
            with whole.open(CONFIG) as stream:
                return json.loads(stream.read(MEMBERS[CONFIG] + 1)[: MEMBERS[CONFIG]])
    except RecursionError:
        raise _no_model(file, "lists nested without end") from None
    except DAMAGE as error:
        raise _no_model(file, str(error).partition("\n")[0][:200]) from error


def _objects(file: Path, config: Any) -> Iterator[dict[str, Any]]:
    """Every object of the description, those outside before those inside them, in their order."""
    waiting: deque[tuple[Any, int]] = deque([(config, 0)])
    while waiting:
        value, depth = waiting.popleft()
        if depth > DEEPEST:
            raise _no_model(file, f"lists nested more than {DEEPEST} deep")
        if isinstance(value, dict):
            yield value
            waiting.extend((one, depth + 1) for one in value.values())
        elif isinstance(value, list):
            waiting.extend((one, depth + 1) for one in value)


def _no_model(file: Path, found: str) -> StorageDamaged:
    return StorageDamaged(
        f"expected a model that Keras saved at {file}, found none ({found}): run its experiment "
        "again, or name another model"
    )
