"""What a worker does with the items of a transfer. Blueprints and commands may not import it."""
