"""What is looked at closely: a layer's maps of one picture, and where in pictures evidence lies."""
