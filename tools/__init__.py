"""Development only: what `make` runs. Nothing here is part of the product."""
