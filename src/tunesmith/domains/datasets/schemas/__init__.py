"""What datasets look like from outside, a module for each noun."""
