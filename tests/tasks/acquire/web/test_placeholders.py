from storage.ledger import Download
from storage.statuses import DownloadStatus as S
from tasks.acquire.web import placeholders
from tasks.acquire.web.placeholders import unmasked


def rows(*entries):
    return [(label, Download(url, S.OK, image=image)) for label, url, image in entries]


def test_unrelated_addresses_of_different_classes_unmask_a_placeholder():
    entries = [("ship", "http://a/1.jpg", "P"), ("ship", "http://a/2.jpg", "P")]
    entries += [("bike", "http://b/3.jpg", "P"), ("bike", "http://b/4.jpg", "Q")]
    found = unmasked(rows(*entries))
    assert list(found) == ["P"]
    assert "3 unrelated addresses in 2 classes" in found["P"]


def test_a_picture_that_is_only_often_copied_is_none():
    one_class = rows(*[("ship", f"http://a/{n}.jpg", "P") for n in range(9)])
    copies = [(label, f"http://{host}/1.jpg", "P") for host in "abc" for label in "xy"]
    mirrors = rows(*copies)
    two_classes = rows(("ship", "http://a/1.jpg", "P"), ("bike", "http://b/2.jpg", "P"))
    assert not unmasked(one_class)
    assert not unmasked(mirrors)
    assert not unmasked(two_classes)


def test_known_placeholders_are_told_by_size_and_digest():
    import hashlib

    data = b"gone"
    table = {(4, hashlib.md5(data).hexdigest()): "a placeholder"}
    assert placeholders.known(data, table) == "a placeholder"
    assert placeholders.known(b"good", table) == ""
    assert placeholders.known(data, {}) == ""
    assert placeholders.known(bytes(2051)) == ""
