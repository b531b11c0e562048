"""What the product can do: one module per subject, one function per thing a person can do."""
