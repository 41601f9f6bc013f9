"""Keeps the storage port: a folder of this machine, or an S3-compatible object store."""
