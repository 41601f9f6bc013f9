"""Every figure that the docs claim, as a script with its peers beside it."""
