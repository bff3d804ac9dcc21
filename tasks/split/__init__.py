"""Images to train, validation and test, without leaks."""
