"""What turns pictures into features: networks with their weights, and what computes them."""
