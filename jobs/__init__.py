"""The front door for the clock: durable workflows, the reconciler and the worker's entry."""
