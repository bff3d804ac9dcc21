"""Names in zips as their writer meant them: UTF-8 without saying so, GBK, Shift-JIS, cp437."""

import zipfile

UTF8_FLAG = 0x800
# What the systems write that do not write UTF-8, by likeness of the text that comes out.
ENCODINGS = ["gb18030", "shift_jis", "euc_kr", "big5", "cp1251", "cp866"]
LOOKED_AT = 1 << 16


def make_readable(archive: zipfile.ZipFile) -> None:
    """Give the entries of a zip the names that were meant.

    Python takes a name that is not marked as UTF-8 for cp437, as the format says. Windows Explorer
    writes the system's own code page, and many programs UTF-8 without the mark.
    """
    unmarked = [entry for entry in archive.infolist() if not entry.flag_bits & UTF8_FLAG]
    raw = {entry: _bytes(entry.filename) for entry in unmarked}
    foreign = {entry: data for entry, data in raw.items() if data and not data.isascii()}
    if not foreign:
        return
    encoding = _encoding(b"\n".join(dict.fromkeys(foreign.values()))[:LOOKED_AT])
    if encoding == "cp437":
        return
    for entry, data in foreign.items():
        try:
            entry.filename = data.decode(encoding)
        except UnicodeDecodeError:
            continue  # this one was written elsewhere: as the format says


def _bytes(name: str) -> bytes:
    try:
        return name.encode("cp437")
    except UnicodeEncodeError:  # an extra field brought the Unicode name
        return b""


def _encoding(data: bytes) -> str:
    from charset_normalizer import from_bytes

    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        found = from_bytes(data, cp_isolation=[*ENCODINGS, "cp437"]).best()
        return found.encoding if found is not None else "cp437"
    return "utf-8"
