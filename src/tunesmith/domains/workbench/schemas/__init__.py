"""What the workbench answers, a module for each “current …”."""
