"""Model to predictions and metrics."""
