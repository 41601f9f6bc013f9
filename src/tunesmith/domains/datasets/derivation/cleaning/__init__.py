"""Cleaning: missing values, texts, lengths, duplicates, columns; a step is a generator over rows that tells what it did."""
