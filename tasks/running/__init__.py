"""What every step shares: caching, fingerprints, progress, counters, TensorFlow."""
