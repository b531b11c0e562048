"""What the product can do: one package per subject, one function per thing a person can do."""
