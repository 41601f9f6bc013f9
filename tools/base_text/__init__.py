"""The text that the bundled base model learns from, and the tables of the example domain: all made here, from seeds."""
