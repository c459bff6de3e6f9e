"""Service meshes: what a mesh is, and one folder for each."""
