"""What Istio in sidecar mode cannot do."""

from components.mesh.features import Lacks

LACKS: Lacks = {
    "traffic.rateLimit.by=identity": (
        "requests are counted at the gateway, whose callers are outside the mesh and have no "
        "identity in it; use by: header, or leave rateLimit out"
    ),
}
