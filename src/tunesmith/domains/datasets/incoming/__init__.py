"""Files that arrive in parts: each part is safe on disk before it is acknowledged, and a broken upload goes on where it was."""
