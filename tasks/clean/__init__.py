"""Collection to usable images: decode once, set aside what is broken, find near-duplicates."""
