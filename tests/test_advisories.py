"""The lock against advisories in files, without the internet."""

import json
import zipfile

import pytest

from deployments import advisories

LOCK = (
    "requests==2.32.3 \\\n    --hash=sha256:0a\n"
    "uvicorn[standard]==0.40.0 ; sys_platform != 'win32'\n"
)


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "requirements.lock"
    file.write_text(LOCK)
    return file


def advisory(name, *events, versions=(), kind="ECOSYSTEM", **fields):
    ranges = [{"type": kind, "events": [dict([event]) for event in events]}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges,
                "versions": list(versions)}  # fmt: skip
    return {"id": "PYSEC-1", "summary": "leaks <b>", "affected": [affected]} | fields


@pytest.mark.parametrize(
    ("one", "hit"),
    [
        (advisory("requests", ("introduced", "0"), ("fixed", "2.32.4")), True),
        (advisory("Requests", ("introduced", "2.0"), ("last_affected", "2.32.3")), True),
        (advisory("requests", ("introduced", "0"), ("fixed", "2.32.3")), False),
        (advisory("requests", ("introduced", "2.33"), ("fixed", "3")), False),
        (advisory("requests", ("fixed", "2.0"), ("introduced", "0"), ("introduced", "2.30")), True),
        (advisory("requests", versions=["2.32.3"]), True),
        (advisory("requests", ("introduced", "0"), kind="GIT"), False),
        (advisory("urllib3", ("introduced", "0")), False),
        (advisory("requests", ("introduced", "0"), withdrawn="2026-01-01T00:00:00Z"), False),
        (advisory("uvicorn", ("introduced", "0"), ("fixed", "0.41")), True),
    ],
)
def test_versions_in_a_range_are_named(lock, tmp_path, one, hit):
    file = tmp_path / "advisory.json"
    file.write_text(json.dumps(one))
    found = advisories.known(lock, [file])
    assert [each.advisory for each in found] == ["PYSEC-1"] * hit


def test_a_zip_of_them_is_read_and_the_command_fails(lock, tmp_path, capsys):
    file = tmp_path / "all.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.json", json.dumps(advisory("requests", ("introduced", "0"))))
        archive.writestr("notes.txt", "x")
    assert advisories.main([str(lock), str(file)]) == 1
    assert capsys.readouterr().out == "requests 2.32.3: PYSEC-1 leaks <b>\n"
    assert advisories.main([str(lock)]) == 2


def test_what_is_no_advisory_is_said(lock, tmp_path):
    file = tmp_path / "list.json"
    file.write_text("[]")
    with pytest.raises(ValueError, match="OSV"):
        advisories.known(lock, [file])
