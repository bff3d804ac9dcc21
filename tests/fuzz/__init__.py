"""Readers of strangers' bytes, fed with any, and what that found."""
