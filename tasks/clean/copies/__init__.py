"""Edited copies: pictures that are another one mirrored, cropped, framed, captioned, and so on.

Candidates are each picture's nearest neighbours among the descriptors of a network; a first look at
small thumbnails drops most of them; the rest are laid over each other, and what agrees in detail
counts. Only pixels decide, so that groups do not depend on the machine that computed descriptors.
"""
