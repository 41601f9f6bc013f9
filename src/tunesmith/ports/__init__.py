"""The promises that adapters keep."""
