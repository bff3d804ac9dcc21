"""Tensors of a PyTorch file (the format before 1.6), without PyTorch and without running anything.

Such a file is a pickle of an OrderedDict of tensors, then their values. A pickle can name any
function to be called; this one may name the four that tensors are made of, and every other is an
error. Format: `torch/serialization.py`, `_legacy_save`.
"""

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
MOST_BYTES = 1 << 30


class _Storage(NamedTuple):
    key: str
    kind: np.dtype[Any]
    size: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read(path: Path) -> dict[str, np.ndarray]:
    """Name -> array. ValueError for what is no such file, or names anything but tensors."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes")
    try:
        with path.open("rb") as stream:
            if _Tensors(stream).load() != MAGIC or _Tensors(stream).load() != PROTOCOL:
                raise ValueError("no PyTorch file of the format before 1.6")
            _Tensors(stream).load()  # the system that wrote it
            found = _Tensors(stream).load()
            _require_tensors(found)
            tensors = {str(name): one for name, one in found.items() if isinstance(one, _Tensor)}
            kinds = {one.storage.key: one.storage.kind for one in tensors.values()}
            keys = _Tensors(stream).load()
            values = {key: _values(stream, kinds[key]) for key in map(str, keys)}
            return {name: _array(one, values[one.storage.key]) for name, one in tensors.items()}
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError,
            struct.error, MemoryError, UnicodeDecodeError, OverflowError) as error:  # fmt: skip
        raise ValueError(f"cannot be read ({type(error).__name__}: {error})") from error


def _require_tensors(found: Any) -> None:
    if type(found) is not OrderedDict:
        raise ValueError("holds something else than tensors")


class _Tensors(pickle.Unpickler):
    """An unpickler that knows what tensors are made of, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name; UnpicklingError for one that is not a tensor's."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if module == "torch" and name in TYPES:
            return TYPES[name]
        raise pickle.UnpicklingError(f"names {module}.{name}, which is no tensor's")

    def persistent_load(self, pid: Any) -> Any:
        """A storage, its values still unread."""
        _, kind, key, _, size, *_ = pid
        if not isinstance(kind, np.dtype):
            raise pickle.UnpicklingError("a storage of an unknown type")
        return _Storage(str(key), kind, int(size))


def _rebuilt(storage: _Storage, offset: int, shape: Any, stride: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


def _values(stream: IO[bytes], kind: np.dtype[Any]) -> np.ndarray:
    """The values of one storage: how many, then themselves."""
    (number,) = struct.unpack("<q", stream.read(8))
    data = stream.read(number * kind.itemsize) if 0 <= number < MOST_BYTES else b""
    if number < 0 or len(data) != number * kind.itemsize:
        raise ValueError("ends within a tensor")
    return np.frombuffer(data, kind)


def _array(tensor: _Tensor, values: np.ndarray) -> np.ndarray:
    """The part of a storage that is a tensor; ValueError where it reaches out of it."""
    steps = [(size - 1) * step for size, step in zip(tensor.shape, tensor.stride, strict=True)]
    reached = tensor.offset + sum(steps)
    if min(tensor.offset, *tensor.stride, *steps, 0) < 0 or reached >= len(values):
        raise ValueError("a tensor that lies outside of its values")
    bytes_apart = [step * values.itemsize for step in tensor.stride]
    part = values[tensor.offset :]
    return np.ascontiguousarray(
        np.lib.stride_tricks.as_strided(part, tensor.shape, bytes_apart, writeable=False)
    )
