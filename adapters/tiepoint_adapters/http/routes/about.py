"""What runs here: versions, encoders and plugins."""

from __future__ import annotations

import platform
from importlib.metadata import version
from time import time

from fastapi import APIRouter
from pydantic import BaseModel

from tiepoint import __version__, registry
from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.service import HostOf

router = APIRouter(prefix="/v1", tags=["system"])

_STARTED = time()
_LIBRARIES = ("torch", "openvino", "faiss-cpu", "milvus-lite", "fastapi")


class EncoderAnswer(BaseModel):
    """An encoder of the deployment."""

    name: str
    type: str
    modalities: list[str]
    dimensions: int
    fingerprint: str


class PluginAnswer(BaseModel):
    """A plugin that is installed, and whether the deployment uses it."""

    name: str
    version: str
    distribution: str
    about: str
    used: bool


class SystemAnswer(BaseModel):
    """What runs here."""

    version: str
    python: str
    machine: str
    libraries: dict[str, str]
    started: float
    store: str
    alignment: str | None
    fusion: str
    engine: str
    sources: list[str]
    encoders: list[EncoderAnswer]
    plugins: list[PluginAnswer]


@router.get("/system", dependencies=[requires("system:read")], summary="What runs here?")
def system(host: HostOf) -> SystemAnswer:
    """Return versions, encoders and plugins."""
    deployment = host.deployment
    encoders = {name: host.encoder(name) for name in deployment.encoders}
    return SystemAnswer(
        version=__version__,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        libraries={name: version(name) for name in _LIBRARIES},
        started=_STARTED,
        store="embedded" if host.store.embedded else "server",
        alignment=deployment.alignment.type if deployment.alignment else None,
        fusion=deployment.fusion.type,
        engine=deployment.engine.type,
        sources=list(deployment.sources),
        encoders=[
            EncoderAnswer(
                name=name,
                type=deployment.encoders[name].type,
                modalities=list(encoder.modalities),
                dimensions=encoder.dim,
                fingerprint=encoder.fingerprint,
            )
            for name, encoder in encoders.items()
        ],
        plugins=[
            PluginAnswer(
                name=one.name,
                version=one.version,
                distribution=one.distribution,
                about=one.summary,
                used=one.name in deployment.plugins,
            )
            for one in registry.components(registry.PLUGINS)
        ],
    )
