"""Tunesmith: from a folder of domain data to a language model that a team can trust, serve and improve."""

__version__ = "0.1.0"
