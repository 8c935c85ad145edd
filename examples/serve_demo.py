"""Makes demo data for the service with its plugins, in a folder, and a deployment file for it.

    python examples/serve_demo.py tiepoint-serve
    tiepoint serve tiepoint-serve/deployment.yaml

Everything comes from installed packages or is made here: photographs, rendered street scenes in
which things happen, a shop with simulated shoppers, the DICOM files of pydicom with short reports
that were written for them. Nothing is fetched. `make serve` does both.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

CLIPS: dict[str, str] = {"gate": "intrusion", "square": "loitering", "station": "abandoned_object"}
"""What happens before each camera of the demo: the names of rendered scenes."""

YARD = [[0.55, 0.45], [1.0, 0.45], [1.0, 1.0], [0.55, 1.0]]


def write_clips(folder: Path) -> dict[str, Any]:
    """Render what cameras see, and return the plugin's options."""
    from tiepoint_adapters.media.clip_writer import ClipWriter
    from tiepoint_security.rendering import scripts

    folder.mkdir(parents=True, exist_ok=True)
    cameras: dict[str, Any] = {}
    for number, (camera, script) in enumerate(CLIPS.items()):
        file = folder / f"{camera}.mp4"
        if not file.is_file():
            scene = getattr(scripts, script)(seed=number, street=number)
            with ClipWriter(file, quality=20) as writer:
                for frame in scene.frames():
                    writer.add(frame.pixels, frame.time_s)
        cameras[camera] = {"address": f"./cameras/{camera}.mp4", "loop": True, "fps": 5}
    cameras["gate"]["zones"] = {"yard": YARD}
    return {
        "cameras": cameras,
        "rules": {
            "in_the_yard": {"when": {"intrusion": {"zones": ["yard"]}}, "severity": "critical"},
            "stays": {"when": {"loitering": {"seconds": 12}}, "cameras": ["square"]},
            "left_behind": {"when": {"abandoned": {}}, "cameras": ["station"]},
        },
        "footage": {"collection": "footage"},
        "alerts": {"default": {"cooldown_s": 20}},
    }


def write_shop(folder: Path) -> dict[str, Any]:
    """Make a shop with shoppers, fit a model, and return the plugin's options."""
    from tiepoint_recommendation.simulation.shop import simulate

    if not (folder / "data").is_dir():
        simulate(users=120, items=96, days=45, seed=7).write(folder / "data")
    ask = [str(Path(sys.executable).with_name("tiepoint")), "recommend"]
    store = str(folder / "store")
    data = folder / "data"
    read = ["--items", data / "items.csv", "--events", data / "events.csv", "--root", data]
    if not (folder / "store" / "models" / "current").is_file():
        for words in (["ingest", *read], ["fit"]):
            subprocess.run([*ask, *map(str, words), "--store", store], check=True)
    arms = {"plain": {"share": 1}, "diverse": {"share": 1, "diversity": 0.4}}
    return {
        "store": "./shop/store",
        "live": {"experiment": {"name": "diversity", "arms": arms}},
    }


def write_deployment(folder: Path) -> Path:
    """Write the deployment file of the demo."""
    import yaml

    from tiepoint.embedded import WORDS

    photo = {"type": "timm", "preset": "fast"}
    radiograph = {"type": "concat", "encoders": [photo, {"type": "edges"}]}
    stated = dict.fromkeys(("present", "absent", "uncertain"), "strings")
    clip = {"encoder": "clip"}
    content = {
        "version": 1,
        "encoders": {
            "photo": photo,
            "words": WORDS,
            "clip": {"type": "video", "frames": photo},
            "studies": {"type": "volume", "frames": radiograph},
            "reports": {"type": "long-text", "encoder": WORDS},
        },
        "alignment": {"type": "default", "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": "./store"},
        "collections": {
            "items": {
                "fields": {
                    "image": {"encoder": "photo"},
                    "english": {"encoder": "words", "words": True},
                    "chinese": {"encoder": "words", "words": True},
                }
            },
            "footage": {
                "fields": {"video": clip, "moving": clip},
                "metadata": {
                    "camera": "string",
                    "start_s": "float",
                    "end_s": "float",
                    "zones": "strings",
                    "severity": "int",
                },
            },
            "cases": {
                "fields": {
                    "image": {"encoder": "studies"},
                    "report": {"encoder": "reports", "words": True},
                    "findings": {"dimensions": 61},
                },
                "metadata": {"patient": "string", "study": "string", **stated},
            },
        },
        "plugins": {
            "security": write_clips(folder / "cameras"),
            "recommendation": write_shop(folder / "shop"),
            "medical": {"state": "./medical"},
        },
    }
    path = folder / "deployment.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
    return path


def fill(path: Path) -> None:
    """Add the photographs and DICOM files that come with packages, and something to be read."""
    from medical import REPORTS, cases

    from tiepoint import Host, Item
    from tiepoint_adapters.demo.pictures import packaged_pictures
    from tiepoint_medical.service import service_of

    rendered = path.parent / "pictures"
    rendered.mkdir(exist_ok=True)
    with Host.from_config(path) as host:
        host.add(
            (
                Item(one.id, image=str(one.path), parts=dict(one.captions))
                for one in packaged_pictures(rendered)
            ),
            collection="items",
        )
        service = service_of(path, host)
        archive = list(cases())
        service.ingest(archive)
        if not service.records.worklist(unread=False):
            for one in archive[:3]:
                service.match(one.image, REPORTS[one.place], one.patient, one.study, keep=True)
        service.close()


if __name__ == "__main__":
    made = write_deployment(Path(sys.argv[1]))
    fill(made)
    print(f"Serve it: tiepoint serve {made}")
