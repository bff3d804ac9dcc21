"""Files to look at beside the page: sheets of pictures, curves, the network drawn."""
