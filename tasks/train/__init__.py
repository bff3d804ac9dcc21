"""Features to a model."""
