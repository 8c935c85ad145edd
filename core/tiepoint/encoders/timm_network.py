"""One timm network: where its weights are, what it expects, and the module that is exported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiepoint.encoders.digests import file_digest
from tiepoint.encoders.packages import package_file, package_sha256
from tiepoint.encoders.runtimes.stored import StoredModel
from tiepoint.encoders.sources import ModelFiles
from tiepoint.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    import torch

    from tiepoint.encoders.timm_features import Features

_FILTERS = ("bicubic", "bilinear", "lanczos")


@dataclass(frozen=True)
class Network:
    """A timm network with its weights, and the pictures that it was trained on.

    Attributes:
        model: timm's name of the architecture.
        weights: `package:<name>`, `hub:<owner>/<name>`, a folder in the form of timm's hub
            repositories, or a `.safetensors`, `.pth` or `.pt` file.
        sha256: Hash of the weights.
        dim: Length of the pooled features.
        size: Height and width of its pictures.
        mean: Of the channels, on a scale of 0 to 1.
        std: Of the channels.
        interpolation: Filter that pictures are resized with.
        num_classes: Classes of its head; 0 where it has none.
        feature_norm: Usual Euclidean norm of its pooled features, where it is documented.
    """

    model: str
    weights: str
    sha256: str
    dim: int
    size: int
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    interpolation: str = "bicubic"
    num_classes: int = 1000
    feature_norm: float | None = None

    @property
    def identity(self) -> str:
        """Everything that the network's output on a picture depends on."""
        scale = f"{self.mean}/{self.std}".replace(" ", "")
        return f"{self.model}@{self.sha256[:16]}:{self.size}:{self.interpolation}:{scale}"


# The norms are medians over 16 photographs that ship with scikit-image and scikit-learn.
LITE0 = Network(
    "tf_efficientnet_lite0",
    "package:efficientnet-lite0",
    package_sha256("efficientnet-lite0"),
    dim=1280,
    size=224,
    feature_norm=15.3,
)
LITE2 = Network(
    "tf_efficientnet_lite2",
    "package:efficientnet-lite2",
    package_sha256("efficientnet-lite2"),
    dim=1280,
    size=260,
    feature_norm=13.2,
)
_PACKAGED = {(network.model, network.weights): network for network in (LITE0, LITE2)}


def find_network(model: str | None, weights: str, size: int | None) -> Network:
    """Return the network with these weights.

    What timm knows of a network that is not in a package of ours is asked once and kept in
    the cache, so that later processes need not import it.

    Args:
        model: timm's name; a hub repository or its folder names its own.
        weights: As in `Network.weights`.
        size: Of the pictures; the network's own if not given.

    Raises:
        ConfigError: No such file or model, or weights that do not fit.
    """
    packaged = _PACKAGED.get((model or "", weights))
    if packaged is not None:
        return replace(packaged, size=size or packaged.size)
    if weights.startswith("package:"):
        package_sha256(weights.removeprefix("package:"))
        raise ConfigError(
            f"the weights {weights!r} are not those of {model!r}",
            where="weights",
            hint=f"Known are {', '.join(f'{m} with {w}' for m, w in _PACKAGED)}.",
        )
    file, own = _locate(weights)
    name = model or own.get("architecture")
    if not name:
        raise ConfigError(
            "a file of weights does not say its model", where="model", hint="Name a timm model."
        )
    sha256 = file_digest(file)
    facts = StoredModel(f"facts {name} {sha256} {size} {json.dumps(own)} {version('timm')}")
    folder = facts.find()
    if folder is None:
        network = _ask_timm(name, weights, sha256, size, own)
        text = json.dumps(asdict(network))
        folder = facts.write(lambda empty: _write(empty / "network.json", text))
    known = json.loads((folder / "network.json").read_text("utf-8"))
    known |= {"weights": weights, "mean": tuple(known["mean"]), "std": tuple(known["std"])}
    return Network(**known)


def _write(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


def weights_file(weights: str) -> Path:
    """Return the file of weights, checked against its pinned hash if it comes in a package."""
    if weights.startswith("package:"):
        return package_file(weights.removeprefix("package:"))
    return _locate(weights)[0]


def _locate(weights: str) -> tuple[Path, dict[str, Any]]:
    """Return the file of weights, and what the repository that it is in says about it."""
    path = Path(weights).expanduser()
    if path.is_file():
        return path, {}
    if weights.startswith("hub:") or path.is_dir():
        files = ModelFiles(weights.removeprefix("hub:"), where="weights")
        file = files.folder / "model.safetensors"
        if file.is_file():
            return file, files.optional_json("config.json") or {}
        raise ConfigError("the folder has no model.safetensors", where=str(files.folder))
    raise ConfigError(
        f"there are no weights {weights!r}",
        where="weights",
        hint="Give a file, `package:efficientnet-lite0`, or `hub:<owner>/<name>`.",
    )


def _ask_timm(
    name: str, weights: str, sha256: str, size: int | None, own: Mapping[str, Any]
) -> Network:
    model = create_model(name, weights, size)
    config = {**model.pretrained_cfg, **own.get("pretrained_cfg", {})}
    interpolation = config.get("interpolation", "bicubic")
    return Network(
        name,
        weights,
        sha256,
        dim=int(model.head_hidden_size or model.num_features),
        size=size or int(config["input_size"][-1]),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        interpolation=interpolation if interpolation in _FILTERS else "bicubic",
        num_classes=int(model.num_classes),
    )


def create_model(name: str, weights: str, size: int | None = None) -> Any:
    """Return the timm model with its weights, in evaluation mode.

    Raises:
        ConfigError: timm does not know it, or the weights do not fit.
        MissingDependencyError: timm is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise MissingDependencyError(
            f"timm cannot be imported ({error})", hint="Run: pip install timm"
        ) from error

    state = _read_weights(weights_file(weights))
    if not timm.is_model(name):
        raise ConfigError(
            f"timm {version('timm')} has no model {name!r}",
            where="model",
            hint="See timm.list_models().",
        )
    options: dict[str, Any] = {}
    config = timm.get_pretrained_cfg(name)
    head = f"{config.classifier}.weight" if config and config.classifier else ""
    options["num_classes"] = len(state[head]) if head in state else 0
    if size and config and config.fixed_input_size:
        options["img_size"] = size
    if weights.startswith("package:"):
        options["num_classes"] = 1000
    model = timm.create_model(name, pretrained=False, **options)
    _fill(model, state, weights)
    return model.eval()


def _read_weights(file: Path) -> dict[str, torch.Tensor]:
    """Read tensors by name without unpickling code."""
    import pickle

    import torch
    from safetensors import SafetensorError

    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        raise ConfigError(
            f"the weights cannot be read ({str(error).strip().partition(chr(10))[0]})",
            where=str(file),
            hint="Give tensors only: a .safetensors file, or a plain state dict.",
        ) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    tensors: dict[str, torch.Tensor] = state
    return tensors


def _fill(model: Any, state: Mapping[str, torch.Tensor], weights: str) -> None:
    """Put weights into a model, by name, or in order where a package named them otherwise.

    Raises:
        ConfigError: Names or shapes differ.
    """
    own = model.state_dict()
    if own.keys() != state.keys() and weights.startswith("package:"):
        state = dict(zip(own, state.values(), strict=True))
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        lines = " ".join(str(error).split())
        raise ConfigError(
            f"the weights do not fit the model: {lines[:200]}",
            where=weights,
            hint="Name the model that they were saved from.",
        ) from error


def exported_module(network: Network, flip: bool) -> Features:
    """Return the module of one network.

    Args:
        network: The network.
        flip: Average the features of each picture with those of its mirror image.
    """
    from tiepoint.encoders.timm_features import Features

    model = create_model(network.model, network.weights, network.size)
    return Features(model, network.mean, network.std, flip)
