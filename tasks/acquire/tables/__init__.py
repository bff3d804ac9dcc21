"""Tables that strangers write: any delimiter, encoding or container, read as rows of texts.

Nothing here knows pictures. A table is read as a stream, within limits on its bytes, its cells and
its columns; a cell is text as it was written, `""` where there is none.
"""
