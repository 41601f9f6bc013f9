"""What the product does: vertical slices with the same file names inside. ARCHITECTURE.md has their order."""
