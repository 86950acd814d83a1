"""One measurement a function: it takes a stage and a number, and returns named figures."""
