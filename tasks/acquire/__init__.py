"""Source to collection: pictures with labels, and what was turned down."""
