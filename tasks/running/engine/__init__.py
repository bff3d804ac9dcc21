"""What maps work over units of pictures: this process, or Ray's workers."""
