"""Data sets in the containers that people share them in."""

import io
import json
import struct
import zlib

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from storage.errors import SourceDamaged, SourceTooLarge
from tasks.acquire.parameters import Archive, Folders
from tests.tasks.acquire.conftest import tar_bytes, zip_bytes
from tests.tasks.acquire.layout.conftest import (
    by_name,
    class_folders,
    labels_of,
    picture,
    pictures,
    reasons_of,
    written,
)


def archived(tmp_path, name, data, **options):
    (tmp_path / name).write_bytes(data)
    return Archive(archive=tmp_path / name, **options)


@pytest.mark.parametrize(
    ("suffix", "said"),
    [
        ("cls", lambda label: label.encode()),
        ("txt", lambda label: f"{label}\n".encode()),
        ("json", lambda label: json.dumps({"label": label, "width": 3}).encode()),
    ],
)
def test_a_webdataset_is_read(suffix, said, tmp_path, taken):
    files = []
    for i in range(8):
        files.append((f"{i:05}.jpg", picture(i)))
        files.append((f"{i:05}.{suffix}", said("cat" if i % 2 else "dog")))
    found = taken(archived(tmp_path, "00000.tar", tar_bytes(files)))
    assert labels_of(found.table) == {("cat", ""): 4, ("dog", ""): 4}


def test_members_out_of_order_and_without_a_label_are_told(tmp_path, taken):
    files = {f"{i:03}.cls": str(i % 2).encode() for i in range(7)}
    files |= pictures([f"{i:03}.jpg" for i in range(8)])
    found = taken(archived(tmp_path, "00000.tar", tar_bytes(files)))
    assert labels_of(found.table) == {("0", ""): 4, ("1", ""): 3}
    assert reasons_of(found.table)["007.jpg"] == ("unlabelled", "no label")


def test_captions_are_no_classes(tmp_path, taken):
    files = {}
    for i in range(8):
        files |= {f"{i:03}.jpg": picture(i), f"{i:03}.txt": f"a photo of thing {i}".encode()}
        files[f"{i:03}.json"] = json.dumps({"caption": f"thing {i}", "url": "x"}).encode()
    found = taken(archived(tmp_path, "00000.tar", tar_bytes(files)))
    assert labels_of(found.table) == {}


def test_a_folder_of_webdataset_shards_is_read(tmp_path, taken):
    for split in ("train", "val"):
        for shard in range(2):
            files = {}
            for i in range(4):
                key = f"{i:04}"
                files |= {
                    f"{key}.jpg": picture(f"{split}{shard}{i}"),
                    f"{key}.cls": b"01"[i % 2 :][:1],
                }
            written(tmp_path / "set", {f"{split}/{shard:05}.tar": tar_bytes(files)})
    found = taken(Folders(folder=tmp_path / "set"))
    assert labels_of(found.table) == {
        (label, split): 4 for label in "01" for split in ("train", "validation")
    }


def parquet(rows, names=None, split=None):
    """A Parquet file as Hugging Face's `datasets` writes a data set of pictures."""
    table = pa.table(
        {
            "image": pa.array(
                [{"bytes": data, "path": path} for data, path, _ in rows],
                pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            ),
            "label": pa.array([label for *_, label in rows]),
        }
    )
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    if names:
        info = json.dumps({"info": {"features": features}}).encode()
        table = table.replace_schema_metadata({b"huggingface": info})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("paths", [True, False])
def test_parquet_with_pictures_is_read(paths, tmp_path, taken):
    rows = [(picture(i), f"{i}.png" if paths else None, i % 2) for i in range(8)]
    found = taken(archived(tmp_path, "data.parquet", parquet(rows, ["cat", "dog"])))
    assert labels_of(found.table) == {("cat", ""): 4, ("dog", ""): 4}
    assert reasons_of(found.table) == {"data.parquet": ("not a picture", "what it holds is listed")}


def test_a_hub_folder_of_parquet_shards_gives_its_splits(tmp_path, taken):
    files = {}
    for split, number in (("train", 2), ("test", 1)):
        for shard in range(number):
            rows = [(picture(f"{split}{shard}{i}"), "image.png", i % 2) for i in range(4)]
            name = f"data/{split}-{shard:05}-of-{number:05}.parquet"
            files[name] = parquet(rows, ["cat", "dog"])
    found = taken(Folders(folder=written(tmp_path / "set", files | {"README.md": b"# hello"})))
    assert labels_of(found.table) == {
        (label, split): number
        for label in ("cat", "dog")
        for split, number in (("train", 4), ("test", 2))
    }


def test_a_row_without_bytes_is_a_row_with_a_reason(tmp_path, taken):
    rows = [(picture(i), None, i % 2) for i in range(4)] + [
        (None, "gone.png", 1),
        (b"text", None, 0),
    ]
    found = taken(archived(tmp_path, "data.parquet", parquet(rows, ["cat", "dog"])))
    said = reasons_of(found.table)
    assert said["000004-gone.png"] == ("damaged in its archive", "no bytes in its row")
    assert said["000005"] == ("not a picture", "its bytes are no picture")


def test_the_hubs_imagefolder_is_read(container, taken):
    files = pictures([f"train/{i}.png" for i in range(6)] + [f"test/{i}.png" for i in range(2)])
    for split, number in (("train", 6), ("test", 2)):
        lines = [json.dumps({"file_name": f"{i}.png", "label": "cd"[i % 2]}) for i in range(number)]
        files[f"{split}/metadata.jsonl"] = "\n".join(lines).encode()
    found = taken(container(files))
    assert labels_of(found.table) == {
        (label, split): number for label in "cd" for split, number in (("train", 3), ("test", 1))
    }


def tfrecord(records):
    """A TFRecord file of `tf.train.Example`s; checksums are zero: nobody reads them."""
    data = b""
    for features in records:
        entries = b""
        for key, value in features.items():
            if isinstance(value, int):
                inner = field(3, field(1, bytes([value])))
            else:
                inner = field(1, field(1, value))
            entries += field(1, field(1, key.encode()) + field(2, inner))
        example = field(1, entries)
        data += struct.pack("<Q", len(example)) + b"\0" * 4 + example + b"\0" * 4
    return data


def field(number, value):
    """A field of bytes of a protocol buffer."""
    size, length = b"", len(value)
    while length > 127:
        size += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + value


@pytest.mark.parametrize("name", ["train.tfrecord", "train-00000-of-00001.tfrecords", "t.tfrec"])
def test_tfrecords_are_read(name, tmp_path, taken):
    records = [
        {"image/encoded": picture(i), "image/class/label": i % 2, "image/filename": b"x/%d.jpg" % i}
        for i in range(6)
    ]
    found = taken(archived(tmp_path, name, tfrecord(records)))
    split = "train" if name.startswith("train") else ""
    assert labels_of(found.table) == {("0", split): 3, ("1", split): 3}
    assert "000001-1.jpg" in by_name(found.table)


def test_tfrecords_with_texts_use_them(tmp_path, taken):
    records = [
        {"image/encoded": picture(i), "image/class/label": i % 2,
         "image/class/text": [b"cat", b"dog"][i % 2]}
        for i in range(6)
    ]  # fmt: skip
    found = taken(archived(tmp_path, "a.tfrecord", tfrecord(records)))
    assert labels_of(found.table) == {("cat", ""): 3, ("dog", ""): 3}


def test_damaged_tfrecords_are_one_error(tmp_path, taken):
    data = tfrecord([{"image/encoded": picture(1), "label": 1}])
    for broken in (data[:-2], data[:7], struct.pack("<Q", 1 << 60) + data[8:], b"x" * 100):
        with pytest.raises((SourceDamaged, SourceTooLarge)):
            taken(archived(tmp_path, "a.tfrecord", broken))


def test_a_seven_zip_is_read(tmp_path, taken):
    import py7zr

    files = class_folders(["cat", "dog"], 3)
    with py7zr.SevenZipFile(tmp_path / "set.7z", "w") as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    found = taken(Archive(archive=tmp_path / "set.7z"))
    assert labels_of(found.table) == {("cat", ""): 3, ("dog", ""): 3}
    (tmp_path / "set.7z").write_bytes((tmp_path / "set.7z").read_bytes()[:100])
    with pytest.raises(SourceDamaged, match=r"set\.7z is no whole \.7z"):
        taken(Archive(archive=tmp_path / "set.7z"))


def test_a_rar_says_what_to_do(tmp_path, taken):
    with pytest.raises(SourceDamaged, match="RAR archive, which cannot be read: unpack it"):
        taken(archived(tmp_path, "set.rar", b"Rar!\x1a\x07\x01\x00 and so on"))


def packed64(data):
    """The bytes as one block of Deflate64 with fixed codes: its head, then a run of its last byte.

    A run may be longer than 258 bytes here, which plain Deflate cannot say.
    """
    head = data.rstrip(data[-1:]) + data[-1:]
    run = len(data) - len(head)
    bits = "110"
    for byte in head:
        bits += f"{0x30 + byte:08b}" if byte < 144 else f"{0x190 + byte - 144:09b}"
    if run:
        bits += f"{0xC5:08b}" + f"{run - 3:016b}"[::-1] + "00000"
    bits += "0000000"
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8))


def deflate64(files):
    """A zip of Deflate64, as Windows Explorer writes it above 2 GB."""
    out, central = b"", b""
    for name, data in files.items():
        packed, place = packed64(data), len(out)
        about = struct.pack(
            "<HHHHHIIIHH", 45, 0, 9, 0, 33, zlib.crc32(data), len(packed), len(data), len(name), 0
        )
        out += b"PK\x03\x04" + about + name.encode() + packed
        place_of = struct.pack("<HHHII", 0, 0, 0, 0, place)
        central += b"PK\x01\x02" + struct.pack("<H", 45) + about + place_of + name.encode()
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(central), len(out), 0)
    return out + central + b"PK\x05\x06" + end


def test_a_zip_of_windows_explorer_is_read(tmp_path, taken):
    files = {name: data + b"x" * 5000 for name, data in class_folders(["cat", "dog"], 3).items()}
    found = taken(archived(tmp_path, "set.zip", deflate64(files)))
    assert labels_of(found.table) == {("cat", ""): 3, ("dog", ""): 3}
    assert set(found.table["bytes"]) == {len(data) for data in files.values()}


def test_a_damaged_entry_of_windows_explorer_is_a_row(tmp_path, taken):
    files = {name: data + b"x" * 5000 for name, data in class_folders(["cat", "dog"], 3).items()}
    data = bytearray(deflate64(files))
    place = data.index(b"cat/0.jpg") + 9
    data[place + 4] ^= 0xFF
    found = taken(archived(tmp_path, "set.zip", bytes(data)))
    assert reasons_of(found.table)["cat/0.jpg"][0] == "damaged in its archive"
    assert labels_of(found.table) == {("cat", ""): 2, ("dog", ""): 3}


def named_in(names, encoding):
    """A zip whose names are in another encoding, without the mark of UTF-8."""
    stand_in = [chr(65 + i) * len(name.encode(encoding)) for i, name in enumerate(names)]
    data = zip_bytes({name: picture(number) for number, name in enumerate(stand_in)})
    for name, other in zip(names, stand_in, strict=True):
        data = data.replace(other.encode(), name.encode(encoding))
    return data


@pytest.mark.parametrize(
    ("encoding", "classes"),
    [
        ("utf-8", ["café", "naïveté"]),
        ("gb18030", ["大熊猫照片", "东北虎照片"]),
        ("shift_jis", ["ねこのしゃしん", "いぬのしゃしん"]),
        ("cp437", ["crème brûlée", "éclair"]),
    ],
)
def test_names_are_read_in_the_encoding_that_was_meant(encoding, classes, tmp_path, taken):
    names = [f"{label}/picture-{i}.jpg" for label in classes for i in range(3)]
    found = taken(archived(tmp_path, "set.zip", named_in(names, encoding)))
    assert labels_of(found.table) == {(label, ""): 3 for label in classes}


@pytest.mark.parametrize("rows", [2])
def test_a_table_of_pictures_and_a_table_of_labels_side_by_side(rows, tmp_path, taken):
    table = io.BytesIO()
    pd.DataFrame({"file": ["1.jpg", "2.jpg"], "label": ["a", "b"]}).to_parquet(table)
    files = pictures(["1.jpg", "2.jpg"]) | {"labels.parquet": table.getvalue()}
    found = taken(Folders(folder=written(tmp_path / "set", files)))
    assert labels_of(found.table) == {("a", ""): 1, ("b", ""): 1}
