"""Reusable components: one noun a file, neutral to the mesh but for the folders of `mesh`."""
