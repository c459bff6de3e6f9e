"""The software in a model container, one file a kind."""
