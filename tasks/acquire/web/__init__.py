"""Pictures and archives from the web: polite, bounded, resumable; every failure is a row."""
