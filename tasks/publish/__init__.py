"""Evaluation to a report."""
