"""What is made of a version without making another: statistics, a file prepared for training elsewhere, downloads."""
