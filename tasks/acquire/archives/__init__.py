"""Archives, and other files that hold many pictures, read without unpacking and within limits.

Names are never used as paths: pictures go to the content-addressed store. Names that try to leave
their folder are still set aside, since whoever made them meant harm.
"""
