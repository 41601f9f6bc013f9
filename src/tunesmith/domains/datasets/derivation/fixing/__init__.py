"""Fixes that can be applied by themselves: a pure function for each code of the doctor, and the operation that applies them."""
