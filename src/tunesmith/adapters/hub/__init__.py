"""Hubs that models come from and go to."""
