"""One file a row of the table; `run(options)` measures it and returns its lines."""
