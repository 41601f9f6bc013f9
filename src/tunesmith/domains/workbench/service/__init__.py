"""Rules of the workbench, a module for each “current …”."""
