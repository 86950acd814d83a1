"""Planning, dispatching, running and watching work; knows nothing of orders."""
