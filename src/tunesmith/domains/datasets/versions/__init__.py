"""Walking between versions: which there are, how one came from another, what differs; undo, archive, restore, purge."""
