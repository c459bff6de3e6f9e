"""Which mesh: the one place where meshes are listed and one of them is picked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from components.mesh.ambient import Ambient
from components.mesh.ambient import capabilities as ambient
from components.mesh.features import Lacks
from components.mesh.istio import Istio
from components.mesh.istio import capabilities as istio
from components.mesh.istio.settings import IstioSettings
from components.mesh.linkerd import Linkerd
from components.mesh.linkerd import capabilities as linkerd
from components.mesh.linkerd.settings import LinkerdSettings
from components.mesh.protocol import Mesh

MeshSettings = Annotated[IstioSettings | LinkerdSettings, Field(discriminator="kind")]
"""What a stack says about its mesh; `kind` says which it is."""

LACKS: dict[str, Lacks] = {
    "istio": istio.LACKS,
    "istio, dataPlane: ambient": ambient.LACKS,
    "linkerd": linkerd.LACKS,
}
"""What each mesh cannot do, by the title that the documentation gives it."""


def choose(
    settings: MeshSettings,
    traces_endpoint: str | None,
    endpoint_pickers: bool = False,
    token_budgets: bool = False,
) -> Mesh:
    """`endpoint_pickers` is whether the pods of a model are chosen by one, `token_budgets` whether
    the callers of a model have one."""
    if isinstance(settings, LinkerdSettings):
        return Linkerd(settings, traces_endpoint)
    if settings.data_plane == "ambient":
        return Ambient(settings, traces_endpoint)
    return Istio(settings, traces_endpoint, endpoint_pickers, token_budgets)


def lacks(settings: MeshSettings) -> Lacks:
    """What the chosen mesh cannot do."""
    if isinstance(settings, LinkerdSettings):
        return linkerd.LACKS
    return ambient.LACKS if settings.data_plane == "ambient" else istio.LACKS


def least(given: object) -> dict[str, Any]:
    """The smallest sound settings of the mesh that was probably meant, so that the rest of a stack
    can be judged when its mesh cannot."""
    said = given if isinstance(given, Mapping) else {}
    if said.get("kind") == "linkerd":
        return {"kind": "linkerd"}
    mode = {"dataPlane": "ambient"} if said.get("dataPlane") == "ambient" else {}
    return {"kind": "istio"} | mode
