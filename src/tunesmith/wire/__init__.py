"""What server and child process say to each other: the recipe, the specs, the events and the run directory."""
