"""A `.keras` file from a stranger, looked at before Keras sees it.

It is a zip with a description of layers as JSON, and their weights. Keras would run code that it
asks for (Lambda layers, functions of other modules, programs of other libraries), come to the end
of its stack where lists are nested deep, and read for minutes where they are long.
"""

import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage.errors import ParameterError, StorageDamaged

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


def require_plain(file: Path) -> None:
    """StorageDamaged if it is no `.keras` file, ParameterError if it asks for code to be run."""
    for name, module in _classes(file, _config(file)):
        if name in OF_CODE or not (name in OF_VALUES or _is_part_of_keras(module)):
            raise ParameterError(
                f"{file} asks for {name[:80]!r} of the module {module[:80]!r}, which could run "
                "anything. Expected a model of Keras's own layers: build it of those, and save it "
                "again"
            )


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


def _classes(file: Path, config: Any) -> Iterator[tuple[str, str]]:
    """The name and module of each class that the description asks for."""
    waiting: list[tuple[Any, int]] = [(config, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise _no_model(file, f"lists nested more than {DEEPEST} deep")
        if isinstance(value, dict):
            if "class_name" in value:
                yield str(value["class_name"]), str(value.get("module") or "")
            waiting += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]


def _no_model(file: Path, found: str) -> StorageDamaged:
    return StorageDamaged(
        f"expected a model that Keras saved at {file}, found none ({found}): run its experiment "
        "again, or name another model"
    )
