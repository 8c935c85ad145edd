"""From a deployment to its components, each constructed once and cheaply."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from tiepoint import registry
from tiepoint.alignment.base import Aligner
from tiepoint.alignment.fitted import FittedAligner
from tiepoint.answering.base import Answerer
from tiepoint.config.collections import IndexSection
from tiepoint.config.models import Deployment
from tiepoint.config.sections import ComponentSection
from tiepoint.encoders.base import Encoder
from tiepoint.encoders.nested import encoder_of, one_of_each
from tiepoint.engine import Engine
from tiepoint.errors import ConfigError, FingerprintError
from tiepoint.fusion.base import Fusion
from tiepoint.fusion.fitted import FittedFusion
from tiepoint.index.embedded import TIERS, generation_folder
from tiepoint.index.milvus import MilvusStore
from tiepoint.plugin import Plugin
from tiepoint.routes import Layout


class Assembly:
    """The components of one deployment.

    Args:
        deployment: What to build; its paths are absolute, or relative to the working folder.
        shared: A store of the same address that is open already, to be used.

    Raises:
        ConfigError: A name that is not defined, or options that a component does not take.
        PluginError: A component that is not installed or cannot be imported.
    """

    def __init__(self, deployment: Deployment, shared: MilvusStore | None = None) -> None:
        self.deployment = deployment
        self._shared = shared
        with one_of_each():
            self.encoders: dict[str, Encoder] = {
                name: encoder_of({"type": section.type, **section.options}, f"encoders.{name}")
                for name, section in deployment.encoders.items()
            }
        self.aligner = self._aligner()
        self.layouts = {
            name: Layout(name, section, self.encoders, self.aligner)
            for name, section in deployment.collections.items()
        }
        self.fusion: Fusion = build(registry.FUSIONS, deployment.fusion, "fusion")
        if isinstance(self.fusion, FittedFusion):
            self.fusion.require_fit()
        self._refuse_unknown_routes()
        self.engine: Engine = build(registry.ENGINES, deployment.engine, "engine")

    @cached_property
    def store(self) -> MilvusStore:
        """The store, not opened yet unless it is shared."""
        return self._shared or MilvusStore(self.deployment.store.uri, self.deployment.store.server)

    @cached_property
    def answerer(self) -> Answerer | None:
        """What answers questions from hits, its model not loaded yet; None if not configured."""
        section = self.deployment.answer
        if section is None:
            return None
        answerer: Answerer = build(registry.ANSWERERS, section, "answer")
        return answerer

    def tier_folder(self, collection: str) -> Path:
        """Return where a collection's serving tier keeps its snapshot: beside the open data."""
        folder = Path(self.deployment.store.uri).expanduser().absolute()
        return generation_folder(folder, self.store.generation) / TIERS / collection

    def index_options(self, collection: str) -> dict[str, IndexSection]:
        """Return how each vector field of a collection is searched."""
        section = self.deployment.collections[collection]
        options: dict[str, IndexSection] = {}
        for name, field in self.layouts[collection].fields.items():
            chosen = section.fields[name].index or section.index
            options |= {vectors: chosen for vectors in (name, field.joint) if vectors is not None}
        return options

    def plugin(self, name: str, options: Mapping[str, Any]) -> Plugin:
        """Build a plugin that the deployment names."""
        return registry.build_plugin(name, options)

    def warm_up(self) -> None:
        """Load every encoder, and the aligner."""
        for encoder in self.encoders.values():
            encoder.warm_up()
        if self.aligner is not None:
            self.aligner.warm_up()

    def _refuse_unknown_routes(self) -> None:
        known: dict[str, set[str]] = {}
        for layout in self.layouts.values():
            for name, fingerprint in layout.route_fingerprints().items():
                known.setdefault(name, set()).add(fingerprint)
        for name in self.fusion.named_routes():
            if name not in known:
                raise ConfigError(
                    f"there is no route {name!r}",
                    where="fusion.weights",
                    hint=f"The routes are {', '.join(sorted(known))}.",
                )
        for name, fitted in self.fusion.fitted_routes().items():
            if known.get(name) != {fitted}:
                there = ", ".join(sorted(known.get(name, ()))) or "no such route"
                raise FingerprintError(
                    f"the fusion was fitted for the route {name!r} by {fitted!r}, and the"
                    f" deployment has {there}",
                    where="fusion",
                    hint="Fit it again: tiepoint fusion fit CONFIG --queries FILE --out DIR.",
                )

    def _aligner(self) -> Aligner | None:
        section = self.deployment.alignment
        if section is None:
            return None
        for modality, name in section.encoders.items():
            if name not in self.encoders:
                raise ConfigError(
                    f"there is no encoder {name!r}",
                    where=f"alignment.encoders.{modality}",
                    hint=f"Defined are {', '.join(self.encoders)}.",
                )
        encoders = {m: self.encoders[name] for m, name in section.encoders.items()}
        aligner: Aligner = build(registry.ALIGNERS, section, "alignment", encoders=encoders)
        if isinstance(aligner, FittedAligner) and aligner.card is None:
            raise ConfigError(
                f"the aligner {section.type!r} was not fitted",
                where="alignment.type",
                hint="Fit it with `tiepoint align fit`, then write `type: saved` and its `path`.",
            )
        return aligner


def build(group: str, section: ComponentSection, where: str, **given: Any) -> Any:
    """Construct the component that a section of the deployment file names.

    Args:
        group: The group of entry points.
        section: Its type and options.
        where: The path of the section in the file, for errors.
        given: What the component gets apart from its options.

    Raises:
        ConfigError: Options that the component does not take.
        PluginError: It is not installed or cannot be imported.
    """
    component = registry.load(group, section.type)
    try:
        return component(**given, **section.options)
    except TypeError as error:
        raise ConfigError(
            f"{section.type!r} does not take these options: {error}",
            where=where,
            hint="See `tiepoint config check`.",
        ) from error
