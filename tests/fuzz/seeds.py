"""Whole examples of what each target reads: what fuzzing begins with, and changes bit by bit."""

import gzip
import io
import json
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from storage import manifests
from tests.fuzz.targets import TABLE_SUFFIXES
from tests.pictures import picture

LABELS = b"image,label\ncat.1.jpg,cat\ndog.2.jpg,dog\n"
WORKBOOK_SHEET = [["image", "label"], ["cat.1.jpg", "cat"], ["dog.2.jpg", 2.5]]


def seeds(target: str) -> list[bytes]:
    """Some for this target; the same every time."""
    return _MADE[target]()


def _entries() -> dict[str, bytes]:
    return {"cat/1.jpg": picture(1, (16, 12)), "dog/2.jpg": picture(2, (12, 9)), "a.csv": LABELS}


def _zip(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def _tar(mode: str, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=form) as archive:
        for name, data in {**_entries(), "é" * 60 + "/3.jpg": b"\xff\xd8\xff"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _parquet() -> bytes:
    buffer = io.BytesIO()
    rows = pd.DataFrame({"image": ["cat.1.jpg", "dog.2.jpg"], "label": ["cat", "dog"], "n": [1, 2]})
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _manifest() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        rows = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "width": [3, 4], "score": [0.5, 1.0]})
        return manifests.save(Path(folder), rows)[1].read_bytes()


def _workbook() -> bytes:
    import openpyxl

    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in WORKBOOK_SHEET:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def _zips() -> list[bytes]:
    inner = _zip(_entries())
    ways = (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return [
        inner,
        *(_zip(_entries(), way) for way in ways),
        _zip({"inner.zip": inner, "../x.jpg": b"\xff\xd8\xff", "cat/": b""}),
        _parquet(),
    ]


def _tars() -> list[bytes]:
    return [
        *(_tar(mode) for mode in ("w", "w:gz", "w:bz2", "w:xz")),
        *(_tar("w", form) for form in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)),
    ]


def _label_tables() -> list[bytes]:
    examples = {
        ".csv": LABELS,
        ".tsv": "image\tlabel\n1.jpg\t\u732b\n".encode("utf-16"),
        ".txt": b"cat/1.jpg 0\ndog/2.jpg 1\n",
        ".lst": b"0\t1.0\tcat/1.jpg\n",
        ".xlsx": _workbook(),
        ".json": b'[{"image": "1.jpg", "label": "cat"}, {"image": "2.jpg", "label": null}]',
        ".jsonl": b'{"file_name": "1.jpg", "label": 3}\n{"file_name": "2.jpg", "label": 4}\n',
        ".ndjson": b'{"a": "b"}\n',
        ".parquet": _parquet(),
    }
    found = [bytes([place]) + examples[suffix] for place, suffix in enumerate(TABLE_SUFFIXES)]
    columns = {"label": {"0": "cat", "1": "dog"}, "image": {"0": "1.jpg", "1": "2.jpg"}}
    json_at = TABLE_SUFFIXES.index(".json")
    return [*found, bytes([json_at]) + json.dumps(columns).encode()]


def _address_lists() -> list[bytes]:
    return [
        b"http://a.example/1.jpg\nhttp://b.example/2.jpg\n",
        b"n01440764_1\thttp://a.example/1.jpg\nn02121808_2\thttp://b.example/2.jpg\n",
        b'wnid,url\nn01440764,http://a.example/1.jpg\nn02121808,"http://b.example/,2.jpg"\n',
        b"<html><body><pre>http://a.example/1.jpg<br>http://a.example/2.jpg</pre></body></html>",
        gzip.compress(b"http://a.example/1.jpg\n", mtime=0),
        _tar("w:gz"),
    ]


def _robots() -> list[bytes]:
    return [
        b"User-agent: *\nDisallow: /private\nAllow: /*.jpg$\nCrawl-delay: 2.5\n",
        b"User-agent: Darkroom\nRequest-rate: 3/10m 0100-0200\nVisit-time: 0600-0845\n",
        b"Sitemap: http://a.example/map.xml\nHost: a.example\nClean-param: s /f/*\n",
    ]


def _forms() -> list[bytes]:
    part = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="1.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" + picture(1, (8, 6)) + b"\r\n"
    )
    text = b'--b\r\nContent-Disposition: form-data; name="top"\r\n\r\n3\r\n'
    return [
        b" boundary=b\n" + part + b"--b--\r\n",
        b' boundary="b"; charset=utf-8\n' + text + part + part + b"--b--\r\n",
        b" boundary=b\n" + part,
    ]


def _settings() -> list[bytes]:
    return [
        b"split.seed=7\ntraining.epochs=3",
        b"split.fractions={train: 0.6, validation: 0.2, test: 0.2}",
        b"source.kind=folders\nsource.folder=/a/b\nmodel.backbone=[EfficientNetLite0]",
        b"training.augmentation.zoom=0.1\nclean.copies=resaved\nmodel.head.kind=linear",
        b"source.kind=synsets\nsource.synsets={cat: n02121808}\nsource.url_list=http://a/{wnid}",
    ]


def _shards() -> list[bytes]:
    found = []
    for values in (
        pa.array([b"ab", b"c"]),
        pa.FixedSizeListArray.from_arrays(np.arange(6, dtype=np.float16), 3),
    ):
        table = pa.table({"image": ["a.jpg", "b.jpg"], "values": values})
        sink = io.BytesIO()
        with pa.ipc.new_file(sink, table.schema) as out:
            out.write_table(table)
        found.append(sink.getvalue())
    return found


def _keras_files() -> list[bytes]:
    layer = {
        "class_name": "InputLayer",
        "module": "keras.layers",
        "config": {"batch_shape": [None, 32, 32, 3], "name": "pixels"},
    }
    config = {"class_name": "Functional", "module": "keras", "config": {"layers": [layer]}}
    return [
        _zip({
            "config.json": json.dumps(config).encode(),
            "metadata.json": b'{"keras_version": "3.15.0"}',
            "model.weights.h5": b"\x89HDF\r\n\x1a\n",
        })
    ]  # fmt: skip


_MADE = {
    "zips": _zips,
    "tars": _tars,
    "label_tables": _label_tables,
    "address_lists": _address_lists,
    "robots_txt": _robots,
    "forms": _forms,
    "settings": _settings,
    "shards": _shards,
    "manifests": lambda: [_parquet(), _manifest()],
    "keras_files": _keras_files,
}
