"""The routes of the service under `/v1/medical`: the viewer, matches, results, the worklist."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Response, UploadFile

from tiepoint.errors import InputError
from tiepoint_adapters.http.access import Caller
from tiepoint_adapters.http.uploads import FilesRoute, opened
from tiepoint_medical.archive.asking import ImageQuery, of_uploads, written_to
from tiepoint_medical.explaining import heat_map_capture, heat_map_picture
from tiepoint_medical.viewing import layout

if TYPE_CHECKING:
    from tiepoint_adapters.dicom.reading import DicomObject
    from tiepoint_medical.matching.result import Match
    from tiepoint_medical.plugin import MedicalPlugin
    from tiepoint_medical.service import MedicalService


Files = Annotated[Sequence[UploadFile], File()]
Text = Annotated[str, Form(max_length=20_000)]
Most = Annotated[int, Form(ge=1, le=50)]
Number = Annotated[int, Form(ge=0, le=100_000)]


def medical_router(plugin: MedicalPlugin) -> APIRouter:
    """Return the routes of a plugin that runs.

    Args:
        plugin: The plugin.
    """
    router = APIRouter(route_class=FilesRoute)

    def service() -> MedicalService:
        if plugin.service is None:
            raise InputError("the plugin does not run", hint="Look at its health.")
        return plugin.service

    def files_of(files: Sequence[UploadFile]) -> list[IO[bytes]]:
        return opened(files, service().host.deployment.server.limits)

    @router.get("/findings", summary="What the findings are called")
    def findings() -> dict[str, dict[str, str]]:
        """Return the name of each finding of the vocabulary, by language."""
        known = service().reader.vocabulary
        return {key: {"en": known.name(key), "zh": known.name(key, "zh")} for key in known.findings}

    @router.get("/worklist", summary="Matches to read")
    def worklist(unread: bool = True) -> list[dict[str, Any]]:
        """Return matches that were kept, the newest first."""
        return service().records.worklist(unread)

    @router.post("/worklist/{match}/read", summary="Mark a match as read")
    def read(match: str, caller: Caller) -> dict[str, Any]:
        """Mark a match as read by the caller, and return it."""
        return service().records.read_match(match, caller.name)

    @router.post("/match", summary="Cases that resemble an image, a report, or both")
    def match(
        caller: Caller,
        image: Files = (),
        text: Text = "",
        k: Most = 5,
        draft: Annotated[bool, Form()] = False,
        keep: Annotated[bool, Form()] = False,
    ) -> dict[str, Any]:
        """Return similar cases of other patients, with what supports and contradicts them.

        The image is one file, or the files of one DICOM study. Whose it is, its header says: the
        patient's own cases are priors.
        """
        with of_uploads(files_of(image)) as asked:
            found = _matched(service(), asked, text, k, keep)
        service().records.note(caller.name, "asked", "match", {"hits": len(found.hits)})
        answer: dict[str, Any] = {"match": found.as_dict(), "draft": None}
        if draft:
            answer["draft"] = service().draft(found).as_dict()
        return answer

    @router.post(
        "/results/{name}",
        summary="A draft as a DICOM report or a FHIR bundle",
        response_class=Response,
        responses={200: {"content": {"application/dicom": {}, "application/fhir+json": {}}}},
    )
    def results(
        name: Literal["findings.dcm", "report.dcm", "fhir-r5.json", "fhir-r4.json"],
        caller: Caller,
        image: Files = (),
        text: Text = "",
        k: Most = 5,
    ) -> Response:
        """Match as above, and return the draft about the DICOM study, marked as unverified."""
        from tiepoint_medical.results.outgoing import result

        with of_uploads(files_of(image)) as asked:
            if not asked.files:
                raise InputError("a result is about a DICOM study", hint="Open its files.")
            made = service().draft(_matched(service(), asked, text, k, keep=False))
            content = result(name, service().outgoing(made), asked.files)
        service().records.note(caller.name, "exported", name, {"bytes": len(content)})
        kind = "application/dicom" if name.endswith(".dcm") else "application/fhir+json"
        return Response(content, media_type=kind, headers=_attached(name))

    @router.post(
        "/heat-map",
        summary="What made an image resemble a case",
        response_class=Response,
        responses={200: {"content": {"image/png": {}, "application/dicom": {}}}},
    )
    def heat_map(
        caller: Caller,
        image: UploadFile,
        case: Annotated[str, Form(max_length=64)],
        number: Number = 0,
        dicom: Annotated[bool, Form()] = False,
    ) -> Response:
        """Return an occlusion map over a frame as PNG, or as a DICOM Secondary Capture."""
        [upload] = files_of([image])
        content = upload.read()
        service().records.note(caller.name, "explained", case, {"dicom": dicom})
        if dicom:
            capture = heat_map_capture(service(), content, number, case)
            headers = _attached("heat-map.dcm")
            return Response(capture, media_type="application/dicom", headers=headers)
        picture = heat_map_picture(service(), content, number, case)
        return Response(picture, media_type="image/png", headers={"Cache-Control": "no-store"})

    @router.post("/study", summary="The series of a study's files, in the order of place")
    def study(caller: Caller, image: Files) -> dict[str, Any]:
        """Return the series of one study's files, with what its structured reports say.

        {"series": [{"modality", "name", "frames": [[file, frame], ..]}], "report", "study",
        "viewer", "left_out": [{"file", "reason"}]}, where files are told by their place, from 0.
        """
        with TemporaryDirectory(prefix="tiepoint-") as folder:
            found = layout(written_to(Path(folder), files_of(image)), plugin.config.viewer)
        subject = service().pseudonyms("study", found["study"] or "")
        service().records.note(caller.name, "opened", subject, {"files": len(image)})
        return found

    @router.post(
        "/frame",
        summary="A frame of a DICOM object, windowed",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    def frame(
        image: UploadFile,
        number: Number = 0,
        centre: Annotated[float | None, Form(allow_inf_nan=False)] = None,
        width: Annotated[float | None, Form(gt=0, allow_inf_nan=False)] = None,
    ) -> Response:
        """Return a frame as PNG; the headers say how many there are, and its own window."""
        [upload] = files_of([image])
        return _frame(upload.read(), number, centre, width)

    return router


def _matched(service: MedicalService, asked: ImageQuery, text: str, k: int, keep: bool) -> Match:
    return service.match(
        image=asked.image,
        text=text.strip() or asked.report or None,
        patient=asked.patient,
        study=asked.study,
        k=k,
        keep=keep,
    )


def _attached(name: str) -> dict[str, str]:
    disposition = f'attachment; filename="{name}"'
    return {"Content-Disposition": disposition, "Cache-Control": "no-store"}


def _frame(content: bytes, number: int, centre: float | None, width: float | None) -> Response:
    import io

    from PIL import Image

    from tiepoint_adapters.dicom.grey import windows
    from tiepoint_adapters.dicom.reading import read_dicom
    from tiepoint_adapters.dicom.rendering import render

    found = read_dicom(content)
    told = found.dataset
    own = next(iter(windows(told)), None)
    if own is None and told.get("SamplesPerPixel", 1) == 1:
        own = _spanned(found, min(number, found.frames - 1))
    if centre is not None and width is not None:
        told.WindowCenter, told.WindowWidth = centre, width
        if "VOILUTSequence" in told:
            del told.VOILUTSequence
    pixels = render(found, min(number, found.frames - 1))
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, "PNG", compress_level=1)
    headers = {"Cache-Control": "no-store", "X-Frames": str(found.frames)}
    if own is not None:
        headers |= {"X-Window-Centre": f"{own[0]:g}", "X-Window-Width": f"{own[1]:g}"}
    return Response(picture.getvalue(), media_type="image/png", headers=headers)


def _spanned(found: DicomObject, number: int) -> tuple[float, float]:
    """Return the window that holds all values of a frame, where the object names none."""
    from tiepoint_adapters.dicom.pixels import frames

    stored = next(iter(frames(found, [number])))
    slope = _first(found.dataset.get("RescaleSlope")) or 1.0
    intercept = _first(found.dataset.get("RescaleIntercept")) or 0.0
    low, high = (float(edge) * slope + intercept for edge in (stored.min(), stored.max()))
    return (low + high) / 2, max(1.0, high - low)


def _first(value: Any) -> float | None:
    """Return the first of the values of a DICOM attribute."""
    if value is None or value == "":
        return None
    return float(value[0] if hasattr(value, "__getitem__") else value)
