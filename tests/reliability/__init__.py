"""Nothing is lost: real processes, killed at bad moments."""
