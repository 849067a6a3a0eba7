"""The version; alone in a file, so that every room can ask for it."""

__version__ = "0.1.0"
