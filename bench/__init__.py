"""What speed and memory we claim, as commands: each row measures us and what it is compared with, in one run."""
