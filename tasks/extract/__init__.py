"""Images to feature vectors of a pretrained backbone."""
