"""How a source says what its pictures are: class folders, split folders, names, tables, lists.

A layout is understood from names, tables and what containers say themselves; no picture is opened.
"""
