"""Tars: the same promises as zips, and no damaged header is taken for the end."""

import gzip
import io
import lzma
import tarfile
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import SourceDamaged, SourceError, SourceTooLarge
from tasks.acquire.archives import reading, tars
from tasks.acquire.archives.budget import Budget
from tests.pictures import picture
from tests.project import examples
from tests.tasks.acquire.conftest import MEBIBYTE, contents, statuses, tar_bytes, zip_bytes

CAT, DOG, BEE = picture(1), picture(2), picture(3)
THREE = {"train/cat.0.jpg": CAT, "train/dog.0.jpg": DOG, "train/bee.0.jpg": BEE}
MODES = ["w", "w:gz", "w:bz2", "w:xz"]


def entry(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("mode", MODES)
def test_pictures_come_back_whatever_the_compression(found, mode):
    assert contents(found(tar_bytes(THREE, mode), name="pictures.tar")) == THREE


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_pictures_come_back_whatever_the_format(found, form):
    long = {"folder/" * 12 + "name" * 15 + ".jpg": CAT}
    assert contents(found(tar_bytes(long, format=form))) == long


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.LNKTYPE, "train/dog.0.jpg"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_and_devices_are_set_aside(found, kind, link):
    rows = found(tar_bytes([("dog.0.jpg", DOG), (entry("cat.0.jpg", kind, link), b"")]))
    assert statuses(rows) == {"dog.0.jpg": "kept", "cat.0.jpg": "unsafe name"}
    assert rows[1].reason == "a link or a device, not a file"


@pytest.mark.parametrize("name", ["../cat.jpg", "a/../../cat.jpg", "/etc/cat.jpg", "C:\\cat.jpg"])
def test_a_name_that_leads_out_is_set_aside(found, name):
    assert statuses(found(tar_bytes({name: CAT}))) == {name: "unsafe name"}


def test_folders_are_no_files(found):
    rows = found(tar_bytes([(entry("train", tarfile.DIRTYPE), b""), ("train/a.jpg", CAT)]))
    assert statuses(rows) == {"train/a.jpg": "kept"}


def test_of_two_entries_of_one_name_the_second_is_a_row(found):
    rows = found(tar_bytes([("cat.jpg", CAT), ("cat.jpg", DOG)]))
    assert [(str(row.status), row.data) for row in rows] == [
        ("kept", CAT),
        ("duplicate name", None),
    ]


def test_names_of_undecodable_bytes_come_back(found):
    rows = found(tar_bytes({"caf\udce9.jpg": CAT}, format=tarfile.GNU_FORMAT))
    assert contents(rows) == {"caf\udce9.jpg": CAT}


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_compressed_tar_is_damaged(found, mode, keep):
    data = tar_bytes(THREE, mode)
    with pytest.raises(SourceDamaged, match="truncated or of another kind"):
        found(data[: int(len(data) * keep)])


@pytest.mark.parametrize("mode", MODES[1:])
def test_a_damaged_compressed_tar_is_damaged(found, mode):
    data = bytearray(tar_bytes(THREE, mode))
    for place in range(len(data) // 2, len(data) // 2 + 40):
        data[place] ^= 0xFF
    with pytest.raises(SourceDamaged):
        found(bytes(data))


def test_a_wrong_checksum_of_a_compressed_tar_is_damaged(found):
    data = bytearray(tar_bytes(THREE, "w:gz"))
    data[-6] ^= 1
    with pytest.raises(SourceDamaged):
        found(bytes(data))


# The 10,240 bytes of a record end in zeros: what matters is before.
USED = tar_bytes(THREE).rstrip(b"\0")


@examples(100)
@given(end=st.integers(1, len(USED)))
def test_a_truncated_tar_is_damaged_wherever_it_ends(tmp_path_factory, end):
    path = tmp_path_factory.mktemp("tar") / "cut.tar"
    path.write_bytes(USED[:end])
    with pytest.raises(SourceDamaged):
        list(reading.files_of(path, max_total_bytes=MEBIBYTE, max_file_bytes=MEBIBYTE))


def test_a_damaged_header_is_not_taken_for_the_end(found):
    data = bytearray(tar_bytes(THREE))
    data[data.index(b"train/dog")] ^= 1
    with pytest.raises(SourceDamaged):
        found(bytes(data))


def test_a_single_block_of_zeros_ends_a_tar(found):
    data = USED + b"\0" * (-len(USED) % 512)
    assert contents(found(data + b"\0" * 512)) == THREE


def test_a_negative_size_is_damage_not_an_endless_loop(found):
    data = bytearray(tar_bytes({"a.jpg": b"x" * 512, "b.jpg": CAT}))
    data[124:136] = (256**12 - 1024).to_bytes(12, "big")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    with pytest.raises(SourceDamaged):
        found(bytes(data))


def test_a_negative_size_in_an_extended_header_is_damage_too(found):
    liar = entry("b.jpg")
    liar.pax_headers = {"size": "-1536"}
    with pytest.raises(SourceDamaged):
        found(tar_bytes([("a.jpg", CAT), (liar, b"x" * 512)], format=tarfile.PAX_FORMAT))


def pax_name(length):
    return tar_bytes([("a.jpg", CAT), ("n" * length, DOG)], "w:gz", format=tarfile.PAX_FORMAT)


def pax_map(numbers):
    """A sparse file, whose map stands in what the size of its header does not count."""
    sparse = entry("b.jpg")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    content = b"%d\n" % numbers + b"0\n" * 2 * numbers
    return tar_bytes([(sparse, content)], "w:gz", format=tarfile.PAX_FORMAT)


def old_map(blocks):
    """A sparse file as older GNU tars write them: each block of its map announces another one."""
    block = (b"%011o\0" % 1 * 42).ljust(504, b"\0") + b"\1" + bytes(7)
    sparse = bytearray(entry("b.jpg", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    sparse[482] = 1
    sparse[148:156] = b" " * 8
    sparse[148:156] = b"%06o\0 " % sum(sparse)
    return gzip.compress(bytes(sparse) + block * blocks + bytes(1024))


ENDLESS = {
    "pax": pax_name(20 * MEBIBYTE),
    "pax first": tar_bytes({"n" * 20 * MEBIBYTE: CAT}, "w:gz", format=tarfile.PAX_FORMAT),
    "pax global": tar_bytes({"a.jpg": CAT}, "w:gz", format=tarfile.PAX_FORMAT,
                            pax_headers={"comment": "c" * 20 * MEBIBYTE}),
    "gnu": tar_bytes({"n" * 20 * MEBIBYTE: CAT}, "w:gz", format=tarfile.GNU_FORMAT),
    "gnu link": tar_bytes([(entry("a", tarfile.SYMTYPE, "n" * 20 * MEBIBYTE), b"")], "w:gz",
                          format=tarfile.GNU_FORMAT),
    "pax sparse": pax_map(MEBIBYTE),
    "gnu sparse": old_map(20_000),
}  # fmt: skip


@pytest.mark.parametrize("data", ENDLESS.values(), ids=ENDLESS)
def test_endless_headers_are_refused_before_they_are_in_memory(found, data):
    tracemalloc.start()
    try:
        with pytest.raises(SourceDamaged):
            found(data)
        assert tracemalloc.get_traced_memory()[1] < 3 * MEBIBYTE + 2 * len(data)
    finally:
        tracemalloc.stop()


def test_headers_of_a_few_kilobytes_are_read(found):
    (one,) = [row for row in found(pax_name(5000)) if row.name != "a.jpg"]
    assert one.name == "n" * 5000


def test_entries_that_were_read_are_not_kept(tmp_path):
    path = tmp_path / "many.tar.gz"
    name = "n" * 30_000
    entries = [(f"{name}{number}", b"") for number in range(200)]
    path.write_bytes(tar_bytes(entries, "w:gz", format=tarfile.PAX_FORMAT))
    with tars._opened_tar(path.open("rb")) as opened:
        kept = [len(opened.members) for _ in tars._entries(opened)]
    assert len(kept) == 200
    assert max(kept) == 1


def test_headers_for_all_entries_do_not_pile_up(tmp_path):
    path = tmp_path / "many.tar"
    header = tarfile.TarInfo.create_pax_global_header
    parts = [header({f"key{number}": "x" * 1000}) for number in range(50)]
    files = [entry(f"{number}.jpg").tobuf() for number in range(50)]
    pairs = (part for pair in zip(parts, files, strict=True) for part in pair)
    path.write_bytes(b"".join(pairs) + bytes(1024))
    with tars._opened_tar(path.open("rb")) as opened:
        kept = [len(opened.pax_headers) for _ in tars._entries(opened)]
    assert kept == [1] * 50


def test_what_is_unpacked_counts_once(found):
    data = tar_bytes({"a.jpg": b"x" * 600, "b.txt": b"x" * 300, "c.jpg": b"x" * 100})
    assert len(found(data, total=1000 + tarfile.RECORDSIZE)) == 3
    with pytest.raises(SourceTooLarge, match="max_total_bytes"):
        found(data, total=999)


def test_what_is_skipped_is_unpacked_too(found):
    bomb = tar_bytes({"bomb.txt": b"\0" * 4 * MEBIBYTE, "cat.jpg": CAT}, "w:gz")
    with pytest.raises(SourceTooLarge):
        found(bomb, total=MEBIBYTE)


def test_a_picture_too_large_is_a_row(found):
    rows = found(tar_bytes({"a.jpg": b"x" * 2000, "b.jpg": CAT}), per_file=1999)
    assert statuses(rows) == {"a.jpg": "too many bytes", "b.jpg": "kept"}


def test_a_tar_that_ends_in_a_zip_is_still_a_tar(found):
    rows = found(tar_bytes(THREE | {"more.zip": zip_bytes({"inner.jpg": CAT})}))
    assert contents(rows) == THREE
    assert statuses(rows)["more.zip"] == "not a picture"


def test_a_zip_that_begins_with_a_tar_is_still_a_zip(found):
    tar = tar_bytes({"inner.jpg": CAT})
    assert contents(found(zip_bytes({"more.tar": tar, "cat.0.jpg": CAT}, 0))) == {"cat.0.jpg": CAT}


def test_compressed_text_is_no_archive(found):
    for data in (gzip.compress(b"hello"), lzma.compress(b"hello")):
        with pytest.raises(SourceDamaged):
            found(data)


def test_a_tar_without_entries_is_no_rows(found):
    assert found(tar_bytes({})) == []


FUZZED = tar_bytes({"cat.0.jpg": b"x" * 600, "dog.0.jpg": b"y" * 10}).rstrip(b"\0")


@examples(400)
@given(place=st.integers(0, len(FUZZED) - 1), flip=st.integers(1, 255), packed=st.booleans())
def test_no_flipped_byte_crashes(tmp_path_factory, place, flip, packed):
    data = bytearray(gzip.compress(FUZZED + b"\0" * 1536) if packed else FUZZED + b"\0" * 1536)
    data[place % len(data)] ^= flip
    path = tmp_path_factory.mktemp("fuzz") / "pictures.tar"
    path.write_bytes(data)
    try:
        rows = list(reading.files_of(path, max_total_bytes=MEBIBYTE, max_file_bytes=MEBIBYTE))
    except SourceError:
        return
    assert len(rows) <= 2


def test_the_stream_of_a_tar_is_read_once(tmp_path):
    class Counted(io.BytesIO):
        count = 0

        def read(self, size=-1):
            data = super().read(size)
            Counted.count += len(data)
            return data

    data = tar_bytes({f"{number}.jpg": picture(number) for number in range(40)}, "w:gz")
    budget = Budget(tmp_path, MEBIBYTE, MEBIBYTE)
    assert len(list(reading._files(Counted(data), "x", budget, 1))) == 40
    assert Counted.count < 1.5 * len(data) + 70_000
