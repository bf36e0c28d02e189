"""What every table must look like, and the gate that holds tables to it."""
