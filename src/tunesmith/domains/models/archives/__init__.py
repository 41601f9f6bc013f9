"""Models that arrive as archives: received piece by piece, unpacked with limits, and never trusted."""
