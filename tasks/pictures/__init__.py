"""What decides a pixel: decoding, resizing, augmentation and views."""
