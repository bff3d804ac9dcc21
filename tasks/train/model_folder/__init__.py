"""What is kept of a training: the model that people use, its card, its layers, its history."""
