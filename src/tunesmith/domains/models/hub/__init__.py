"""Models of a hub: found, looked at, measured against this machine, fetched into the local store, and pushed back."""
