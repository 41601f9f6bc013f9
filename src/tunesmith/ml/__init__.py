"""The engine room: torch lives here and nowhere else, and only in child processes (``python -m tunesmith.ml.x FOLDER``)."""
