"""Each module measures one promise, beside its peer where there is one, and writes JSON."""
