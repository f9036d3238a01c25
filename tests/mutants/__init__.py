"""Mutants: rules broken on purpose, and the tests that must notice. `run` tries them, `test_listed` keeps the list true."""
