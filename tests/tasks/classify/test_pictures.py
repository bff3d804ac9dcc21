"""Files, folders and archives as one sequence of pictures."""

import io
import os
import tarfile
import zipfile

import pytest

from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from storage.names import one_line
from tasks.classify import pictures as module
from tasks.classify.pictures import Pictures
from tests.pictures import picture, write_folders, write_kaggle_zip


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def names(*paths, only=""):
    return [one.name for one in Pictures(paths, only)]


def test_a_file_is_taken_as_it_is_whatever_it_is_called(tmp_path):
    path = tmp_path / "no suffix"
    path.write_bytes(b"bytes")
    (one,) = Pictures([path])
    assert (one.name, one.place.as_posix(), one.folder) == (str(path), "no suffix", tmp_path.name)
    assert one.read() == b"bytes"


def test_what_is_not_there_is_a_row_with_a_reason(tmp_path):
    (one,) = Pictures([tmp_path / "none.jpg"])
    assert one.read() == "No such file or directory"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (one,) = Pictures([tmp_path / "pipe.jpg"])
    assert one.read() == "not a file"
    (within,) = Pictures([tmp_path])
    assert "not a file" in within.read()


def test_a_folder_is_gone_through_in_natural_order(tmp_path):
    write_folders(tmp_path / "p", per_class=11)
    found = [one.place.as_posix() for one in Pictures([tmp_path / "p"])]
    assert found[:3] == ["ant/ant.0.jpg", "ant/ant.1.jpg", "ant/ant.2.jpg"]
    assert found[10:12] == ["ant/ant.10.jpg", "bee/bee.0.jpg"]


def test_hidden_and_system_files_are_passed_over_and_others_counted(tmp_path):
    for name in (".hidden/a.jpg", ".b.jpg", "__MACOSX/c.jpg", "._d.jpg", "notes.txt", "e.jpg"):
        path = tmp_path / "p" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = Pictures([tmp_path / "p"])
    assert [one.place.as_posix() for one in found] == ["e.jpg"]
    assert found.passed_over == 2  # notes.txt, and what macOS left
    assert [one.place.as_posix() for one in found] == ["e.jpg"]
    assert found.passed_over == 2


def test_what_has_to_be_converted_is_a_row_with_advice(tmp_path):
    (tmp_path / "2.psd").write_bytes(b"x")
    packed = zipped(tmp_path / "z.zip", {"3.DCM": b"x"})
    found = Pictures([tmp_path, packed])
    read = {one.name: one.read() for one in found if not one.name.endswith("jpg")}
    assert read == {
        f"{tmp_path}/2.psd": "undecodable: PSD cannot be read: convert it to PNG",
        f"{packed}/3.DCM": "undecodable: DICOM cannot be read: convert it to PNG, with the window "
        "that shows what matters",
    }
    assert found.passed_over == 1  # the zip, as a file of the folder


def test_a_link_in_a_folder_is_a_row_and_is_not_followed(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (one,) = Pictures([tmp_path / "p"])
    assert one.read() == "a link or a device, not a file"


def test_a_file_that_goes_away_meanwhile_is_a_row(tmp_path):
    write_folders(tmp_path / "p", per_class=2)
    found = iter(Pictures([tmp_path / "p"]))
    next(found)
    (tmp_path / "p" / "ant" / "ant.1.jpg").unlink()
    assert next(found).read() == "No such file or directory"
    assert isinstance(next(found).read(), bytes)


def test_nothing_of_a_folder_is_opened_before_it_is_read(tmp_path, opened):
    write_folders(tmp_path / "p", per_class=2)
    opened.clear()
    found = Pictures([tmp_path / "p"])
    assert found.count() == 4
    assert not [path for path in opened if path.endswith(".jpg")]


def test_a_zip_inside_a_zip_is_read_without_unpacking(tmp_path):
    path = write_kaggle_zip(tmp_path / "all.zip", per_class=2)
    before = set(tmp_path.rglob("*"))
    found = list(Pictures([path]))
    assert [one.name for one in found][:2] == [
        f"{path}/train.zip/train/cat.0.jpg", f"{path}/train.zip/train/cat.1.jpg",
    ]  # fmt: skip
    assert found[0].read() == picture(0)
    assert found[0].folder == "train"
    assert Pictures([path]).count() is None
    assert set(tmp_path.rglob("*")) == before


def test_a_tar_is_read_as_well(tmp_path):
    path = tmp_path / "all.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("./a/1.jpg")
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"abc"))
    (one,) = Pictures([path])
    assert (one.place.as_posix(), one.read()) == ("a/1.jpg", b"abc")


def test_only_chooses_by_the_beginning_of_the_path(tmp_path):
    files = {"test1/1.jpg": b"1", "test1/2.jpg": b"2", "train/cat.1.jpg": b"3"}
    inner = io.BytesIO()
    zipped(inner, files)
    outer = zipped(tmp_path / "outer.zip", {"both.zip": inner.getvalue(), "s.csv": b"id"})
    tests = [f"{outer}/both.zip/test1/1.jpg", f"{outer}/both.zip/test1/2.jpg"]
    assert names(outer, only="test1") == tests
    assert names(outer, only="both.zip/test1/") == tests
    assert names(outer, only="train/cat") == [f"{outer}/both.zip/train/cat.1.jpg"]


def test_pictures_of_different_inner_zips_are_told_apart(tmp_path):
    def packed(files):
        buffer = io.BytesIO()
        zipped(buffer, files)
        return buffer.getvalue()

    deep = packed({"c.zip": packed({"1.jpg": b"c"})})
    files = {"a.zip": packed({"1.jpg": b"a"}), "sub/b.zip": packed({"1.jpg": b"b"}), "d.zip": deep}
    outer = zipped(tmp_path / "o.zip", files)
    found = list(Pictures([outer]))
    assert [one.name for one in found] == [
        f"{outer}/a.zip/1.jpg", f"{outer}/sub/b.zip/1.jpg", f"{outer}/d.zip/c.zip/1.jpg",
    ]  # fmt: skip
    assert [one.read() for one in found] == [b"a", b"b", b"c"]
    assert {one.place.as_posix() for one in found} == {"1.jpg"}
    assert [one.read() for one in Pictures([outer], "sub/b")] == [b"b"]
    with pytest.raises(SourceMissing, match=r"there is a\.zip, d\.zip, sub"):
        list(Pictures([outer], "x"))


def test_only_works_in_folders_and_leaves_single_files_alone(tmp_path):
    write_folders(tmp_path / "p", per_class=1)
    single = tmp_path / "p" / "ant" / "ant.0.jpg"
    assert names(tmp_path / "p", single, only="bee/") == [
        str(tmp_path / "p/bee/bee.0.jpg"), str(single),
    ]  # fmt: skip


def test_a_choice_of_nothing_says_what_there_is(tmp_path):
    path = write_kaggle_zip(tmp_path / "all.zip", per_class=1)
    with pytest.raises(SourceMissing, match=r"begins with 'tset', found none: there is .*train"):
        list(Pictures([path], "tset"))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(SourceMissing, match="expected pictures at"):
        list(Pictures([tmp_path]))


def test_names_that_lead_out_are_rows(tmp_path):
    evil = zipped(tmp_path / "evil.zip", {"../../up.jpg": b"x", "ok.jpg": b"y"})
    first, second = Pictures([evil])
    assert "leads out" in first.read()
    assert second.read() == b"y"


def test_a_damaged_archive_is_one_row_and_the_others_are_read(tmp_path):
    good = zipped(tmp_path / "good.zip", {"1.jpg": b"1"})
    inner = zipped(tmp_path / "inner.zip", {"2.jpg": b"2", "x.zip": b"no zip", "3.jpg": b"3"})
    cut = tmp_path / "17.zip"
    cut.write_bytes(good.read_bytes()[:-30])
    given = [good, cut, inner, good]
    found = list(Pictures(given))
    assert [one.place.as_posix() for one in found] == [
        "1.jpg", "17.zip", "2.jpg", "inner.zip", "1.jpg",
    ]  # fmt: skip
    assert "17.zip is not a whole zip" in found[1].read()
    assert "x.zip is not a whole zip" in found[3].read()
    assert [one.name for one in Pictures(given, "2")] == [
        str(cut), f"{inner}/2.jpg", str(inner),
    ]  # fmt: skip
    for wrong in (cut, inner):
        with pytest.raises(SourceDamaged):
            list(Pictures([good, wrong], whole=True))


def test_what_is_nowhere_is_said_beforehand(tmp_path):
    (tmp_path / "there.jpg").write_bytes(b"x")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "gone.jpg")
    Pictures([tmp_path / "there.jpg", tmp_path]).check()
    for gone in ("none\x1b.zip", "broken.jpg", "n" * 300):
        with pytest.raises(SourceMissing, match="found nothing there") as failure:
            Pictures([tmp_path, tmp_path / gone]).check()
        assert "\x1b" not in str(failure.value)


def test_a_bomb_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_TOTAL_BYTES", 1000)
    bomb = zipped(tmp_path / "bomb.zip", {f"{n}.jpg": bytes(400) for n in range(9)})
    seen = []
    with pytest.raises(SourceTooLarge, match="name its folder"):
        seen.extend(Pictures([bomb], whole=True))
    assert len(seen) == 2
    rows = [one.read() for one in Pictures([bomb])]
    assert rows[:2] == [bytes(400)] * 2
    assert "name its folder" in rows[2]
    assert len(rows) == 3


def test_a_file_with_too_many_bytes_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 10)
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(11))
    packed = zipped(tmp_path / "large.zip", {"large.jpg": bytes(11)})
    assert [one.read() for one in Pictures([large])] == ["more than 10 bytes"]
    assert "too many bytes" in next(iter(Pictures([packed]))).read()


def test_names_that_are_no_text_can_be_shown(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / os.fsdecode(b"\xff\xfe.jpg")).write_bytes(b"x")
    (one,) = Pictures([tmp_path / "p"])
    assert one.name.encode()
    assert one.read() == b"x"


def test_one_line_moves_no_cursor():
    assert one_line("a\x1b[2J\nb\u202ec müller") == "a?[2J?b?c müller"
