"""Tables of text: commas, semicolons, tabs, pipes or blanks, in the encodings that people have."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import IO

from storage.errors import SourceDamaged, SourceTooLarge
from tasks.acquire.tables.files import TableFile
from tasks.acquire.tables.table import Row, Table, require_few_columns

LONGEST_LINE = 1 << 20
LOOKED_AT = 1 << 18
ROWS_LOOKED_AT = 200
# The first of those that divide the rows alike is taken.
DELIMITERS = (",", "\t", ";", "|")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
# Tried by likeness where a text is no UTF-8; each reads nearly anything.
LEGACY = ["cp1252", "gb18030", "shift_jis", "euc_kr", "cp1251", "big5"]
ALIKE = 0.9


def read(file: TableFile) -> Table:
    """The table in a text file; a file of one column is one of names alone."""
    encoding, said = encoding_of(file)
    delimiter = _delimiter(file, encoding)

    def rows() -> Iterator[Row]:
        with file.opened() as stream, closing(_lines(stream, encoding, file.name)) as text:
            try:
                yield from _rows(text, delimiter, file.name)
            except UnicodeError as error:
                raise SourceDamaged(
                    f"{file.name} is not text in {encoding} all through ({error}): save it as UTF-8"
                ) from error

    return Table(file.name, rows, folder=file.folder, said=said)


def lines(file: TableFile) -> Iterator[str]:
    """The lines of a text file that are not empty, without what ends them."""
    encoding, _ = encoding_of(file)
    with file.opened() as stream, closing(_lines(stream, encoding, file.name)) as found:
        for line in found:
            if text := line.strip("\r\n"):
                yield text


def encoding_of(file: TableFile) -> tuple[str, str]:
    """The encoding of a text file, and what is to be said of it where it had to be guessed."""
    with file.opened() as stream:
        head = stream.read(LOOKED_AT)
        for mark, name in BOMS:
            if head.startswith(mark):
                return name, ""
        if head.count(0) * 4 >= len(head) > 0:
            even = head[0::2].count(0) > head[1::2].count(0)
            return ("utf-16-be" if even else "utf-16-le"), ""
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = stream.read(LOOKED_AT)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _guessed(file)
    return "utf-8", ""


def _guessed(file: TableFile) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    found = from_bytes(file.beginning(LOOKED_AT), cp_isolation=LEGACY).best()
    encoding = found.encoding if found is not None else "cp1252"
    if encoding == "cp1252":
        encoding = "latin-1" if _has_undefined(file) else encoding
    return encoding, f"{file.name} is not UTF-8 and was read as {encoding}"


def _has_undefined(file: TableFile) -> bool:
    try:
        file.beginning(LOOKED_AT).decode("cp1252")
    except UnicodeDecodeError:
        return True
    return False


def _lines(stream: IO[bytes], encoding: str, name: str) -> Generator[str, None, None]:
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise SourceTooLarge(
                    f"{name} has a line of more than {LONGEST_LINE:,} characters: expected a table "
                    "of names and labels"
                )
            yield line
    finally:
        text.detach()  # the stream belongs to whoever opened it


def _rows(lines: Iterator[str], delimiter: str, name: str) -> Iterator[Row]:
    blank = delimiter == " "
    reader = (
        (line.split() for line in lines)
        if blank
        else csv.reader(lines, delimiter=delimiter, skipinitialspace=False)
    )
    try:
        for row in reader:
            if any(row):
                require_few_columns(len(row), name)
                yield row
    except csv.Error as error:
        if "limit" in str(error):
            raise SourceTooLarge(
                f"{name} has a cell of more than {csv.field_size_limit():,} characters, or a "
                "quotation mark that is never closed: expected a table of names and labels"
            ) from error
        raise SourceDamaged(f"{name} is no table that can be read: {error}") from error


def _delimiter(file: TableFile, encoding: str) -> str:
    """What divides the first rows into equally many cells, more than one; a comma if nothing."""
    try:
        head = file.beginning(LOOKED_AT).decode(encoding, errors="ignore")
    except UnicodeError:
        return ","
    whole = head if len(head) < LOOKED_AT // 4 else head.rpartition("\n")[0]
    lines = [line for line in whole.splitlines() if line.strip()][:ROWS_LOOKED_AT]
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == 5:
        return lines[0][4]
    best, best_score = ",", 0.0
    for delimiter in (*DELIMITERS, " "):
        score = _evenness(lines, delimiter)
        if score > best_score + (0.0 if delimiter != " " else ALIKE / 2):
            best, best_score = delimiter, score
    return best


def _evenness(lines: list[str], delimiter: str) -> float:
    """The share of rows that have as many cells as most have; 0 if most have one."""
    try:
        if delimiter == " ":
            widths = Counter(len(line.split()) for line in lines)
        else:
            rows = csv.reader(iter(lines), delimiter=delimiter)
            widths = Counter(len(row) for row in islice(rows, ROWS_LOOKED_AT))
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, number = widths.most_common(1)[0]
    return number / widths.total() if width > 1 else 0.0
