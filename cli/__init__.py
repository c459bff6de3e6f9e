"""The project's commands: up, preview, down, render and summary of a stack."""
