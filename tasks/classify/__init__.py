"""A trained model put to use on new pictures."""
