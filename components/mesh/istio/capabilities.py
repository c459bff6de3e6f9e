"""What Istio in sidecar mode cannot do."""

from components.mesh.features import Lacks

LACKS: Lacks = {}
