"""Pictures in TFRecord files of `image/encoded` and `image/class/label`, read without TensorFlow.

The framing is that of TensorFlow's `record_writer.h`, a record is a `tf.train.Example`
(`example.proto`); checksums are not checked.
"""

import functools
import struct
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any

from storage.errors import SourceDamaged
from storage.statuses import Status
from tasks.acquire.archives.budget import Budget, of_record
from tasks.acquire.files import Found
from tasks.acquire.layout import split_words
from tasks.acquire.tables import files as table_files

LENGTH, CHECKSUM = 8, 4
PICTURES = ("image/encoded", "image_raw", "image", "jpg", "png")
LABELS = ("image/class/text", "label_name", "class_name", "image/class/label", "label", "class")
NAMES = ("image/filename", "filename", "image/name", "id")
SUFFIXES = (".tfrecord", ".tfrecords", ".tfrec")


def is_tfrecord(name: str) -> bool:
    """Whether a file is called as TFRecords, of one shard or several (`.tfrecord-00000-of…`)."""
    return any(part in name.lower() for part in SUFFIXES)


def files_of(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Found]:
    """A row a picture, and one for the file, with its labels as a table."""
    split = split_words.of_file(PurePosixPath(name).stem)
    rows: list[list[str]] = []
    for number, record in enumerate(_records(stream, name, budget)):
        values = _values(record, name)
        data = next((values[key] for key in PICTURES if isinstance(values.get(key), bytes)), b"")
        label = next((_text(values[key]) for key in LABELS if key in values), "")
        called = next((_text(values[key]) for key in NAMES if key in values), "")
        called = f"{number:06d}-{PurePosixPath(called).name}" if called else f"{number:06d}"
        rows.append([called, label, split])
        reason = "raw pixels or another kind of record" if data else "no picture in its record"
        yield of_record(called, data, budget, Found(called, None, Status.DAMAGED, reason))
    table = table_files.of_rows(name, ("picture", "label", "split"), rows)
    yield Found(name, None, Status.NOT_A_PICTURE, "what it holds is listed", table=table)


def _records(stream: IO[bytes], name: str, budget: Budget) -> Iterator[bytes]:
    while head := stream.read(LENGTH + CHECKSUM):
        if len(head) < LENGTH + CHECKSUM:
            raise SourceDamaged(f"{name} ends within a record: fetch it again")
        (length,) = struct.unpack("<Q", head[:LENGTH])
        budget.spend(min(length, 1 << 62))
        if length > 4 * budget.per_file:
            raise SourceDamaged(f"{name} has a record of {length:,} bytes: it is damaged")
        record = stream.read(length + CHECKSUM)
        if len(record) < length + CHECKSUM:
            raise SourceDamaged(f"{name} ends within a record: fetch it again")
        yield record[:length]


def _values(record: bytes, name: str) -> dict[str, Any]:
    """The first value of each feature of a record."""
    from google.protobuf.message import DecodeError

    example = _example()()
    try:
        example.ParseFromString(record)
    except DecodeError as error:
        raise SourceDamaged(f"{name} has a record that is no tf.train.Example") from error
    found = {}
    for key, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        values = getattr(feature, kind).value if kind else []
        if len(values):
            found[key] = values[0]
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@functools.cache
def _example() -> Any:
    """The message class of `tf.train.Example`, described here: TensorFlow's import is slow."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="darkroom_example.proto", package="darkroom", syntax="proto3"
    )
    field = descriptor_pb2.FieldDescriptorProto
    lists = (("Bytes", field.TYPE_BYTES), ("Float", field.TYPE_FLOAT), ("Int64", field.TYPE_INT64))
    feature = descriptor_pb2.DescriptorProto(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (kind, of_type) in enumerate(lists, start=1):
        one = file.message_type.add(name=f"{kind}List")
        one.field.add(name="value", number=1, type=of_type, label=field.LABEL_REPEATED)
        feature.field.add(
            name=f"{kind.lower()}_list", number=number, type=field.TYPE_MESSAGE, oneof_index=0,
            type_name=f".darkroom.{kind}List", label=field.LABEL_OPTIONAL,
        )  # fmt: skip
    file.message_type.append(feature)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=field.TYPE_MESSAGE, label=field.LABEL_OPTIONAL,
                    type_name=".darkroom.Feature")  # fmt: skip
    features.field.add(name="feature", number=1, type=field.TYPE_MESSAGE,
                       label=field.LABEL_REPEATED,
                       type_name=".darkroom.Features.FeatureEntry")  # fmt: skip
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type=field.TYPE_MESSAGE,
                      label=field.LABEL_OPTIONAL, type_name=".darkroom.Features")  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("darkroom.Example"))
