"""Views of images and what they do to annotations."""
