"""`tiepoint fusion fit` on a collection of small items, through the command's own entrance."""

from __future__ import annotations

import csv
import json
import random

import pytest

from tests.small_encoders import ColourWordEncoder
from tiepoint import Host, Item, registry
from tiepoint.cli.main import main
from tiepoint.errors import ConfigError, FingerprintError, InputError

COLOURS = ("red", "green", "blue")
ANIMALS = ("cat", "dog", "owl", "fox", "bee", "cow", "pig", "ant")
PLACES = ("sea", "hill", "lake", "wood", "town", "moor")
ITEMS = [f"{place}-{animal}" for place in PLACES for animal in ANIMALS]


@pytest.fixture(autouse=True, scope="module")
def small_components(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEPOINT_CACHE", str(tmp_path_factory.mktemp("cache")))
        undo = registry.register(registry.ENCODERS, "colour-words", ColourWordEncoder)
        yield
        undo()


DEPLOYMENT = """\
version: 1
encoders: {words: {type: colour-words}}
store: {uri: STORE}
collections:
  items:
    fields:
      text: {encoder: words, words: true}
      note: {words: true}
fusion: FUSION
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory, small_components):
    """48 items whose text names a place and an animal; the note is misleading."""
    folder = tmp_path_factory.mktemp("items")
    path = folder / "fill.yaml"
    path.write_text(deployment(folder / "store"))
    chance = random.Random(0)
    with Host.from_config(path) as host:
        host.add(
            [
                Item(
                    id=name,
                    text=f"{chance.choice(COLOURS)} {' '.join(name.split('-'))}",
                    parts={"note": f"{chance.choice(PLACES)} {chance.choice(ANIMALS)}"},
                )
                for name in ITEMS
            ]
        )
    return folder / "store"


def deployment(store, fusion="{type: weighted}"):
    return DEPLOYMENT.replace("FUSION", fusion).replace("STORE", str(store))


@pytest.fixture
def write_config(store, tmp_path):
    """Write a deployment file with another fusion."""

    def write(fusion="{type: weighted}", name="deploy.yaml"):
        path = tmp_path / name
        path.write_text(deployment(store, fusion))
        return path

    return write


def labelled(folder, name="queries.csv", **changes):
    path = folder / name
    chance = random.Random(1)
    rows = []
    for item in ITEMS:
        place, animal = item.split("-")
        words = f"the {animal} by the {place}" if chance.random() < 0.7 else f"{animal} somewhere"
        rows.append({"text": words, "relevant": item, **changes})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def run(write_config, tmp_path, capsys):
    def call(*words, queries=None):
        given = [
            write_config(),
            "--queries",
            queries or labelled(tmp_path),
            "--out",
            tmp_path / "fused",
        ]
        code = main(["fusion", "fit", *map(str, [*given, *words])])
        out = capsys.readouterr()
        return code, out.out, out.err

    return call


def test_a_fitted_fusion_is_deployed_by_one_line(run, write_config, tmp_path):
    code, out, _ = run()
    assert code == 0
    line = out.splitlines()[-1]
    assert line == f"fusion: {{type: saved, path: {tmp_path / 'fused'}}}"
    deployed = write_config(line.removeprefix("fusion: "), "fused.yaml")
    with Host.from_config(deployed) as host:
        hit = host.search(text="the owl by the lake", explain=True)[0]
    assert hit.id == "lake-owl"
    assert hit.score == pytest.approx(sum(c.value for c in hit.contributions))
    weight = {c.route: c.weight for c in hit.contributions}
    assert weight["words->text"] > weight.get("words->note", 0.0)


def test_a_fitted_fusion_is_replaced_with_force_only(run, tmp_path):
    assert run()[0] == 0
    kept = (tmp_path / "fused" / "fusion.json").read_bytes()
    code, _, err = run("--seed", 3)
    assert code == 2
    [line] = err.splitlines()
    assert "holds a fit already" in line
    assert (tmp_path / "fused" / "fusion.json").read_bytes() == kept
    assert run("--seed", 3, "--force")[0] == 0
    assert (tmp_path / "fused" / "fusion.json").read_bytes() != kept


@pytest.mark.parametrize("method", ["attention", "match-head"])
def test_other_methods_are_fitted_and_deployed_alike(run, write_config, tmp_path, method):
    code, out, _ = run("--method", method, "--set", "epochs=2", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["queries"] + report["held_out"] == len(ITEMS)
    assert {"rrf", "equal weights", method, "words->text"} <= report["metrics"].keys()
    assert report["options"]["epochs"] == 2
    deployed = write_config(f"{{type: saved, path: {tmp_path / 'fused'}}}", "fused.yaml")
    with Host.from_config(deployed) as host:
        hits = host.search(text="the owl by the lake")
    for hit in hits:
        assert hit.score == pytest.approx(sum(c.value for c in hit.contributions))
    assert (hits[0].contributions[-1].route == "match") == (method == "match-head")


def test_probabilities_come_from_the_calibration_of_the_fused_score(run, write_config, tmp_path):
    more = labelled(tmp_path, "train.csv", split="train").read_text().splitlines()
    rest = labelled(tmp_path, "val.csv", split="val").read_text().splitlines()[1:]
    (tmp_path / "both.csv").write_text("\n".join([*more, *rest]))
    code, out, _ = run("--split", "train", "--val", "val", "--json", queries=tmp_path / "both.csv")
    assert code == 0
    assert json.loads(out)["held_out"] == len(ITEMS)
    assert json.loads(out)["calibration"]["ece"] < 0.3
    deployed = write_config(f"{{type: saved, path: {tmp_path / 'fused'}}}", "fused.yaml")
    with Host.from_config(deployed) as host:
        sure, second = host.search(text="the owl by the lake")[:2]
        unsure = host.search(text="owl somewhere")[0]
    assert sure.probability is not None
    assert sure.probability > unsure.probability
    assert sure.probability >= second.probability
    assert sure.score != sure.probability


def test_json_lines_and_pairs_are_read(run, tmp_path):
    lines = [json.dumps({"text": f"the {i.split('-')[1]}", "relevant": [i]}) for i in ITEMS]
    (tmp_path / "q.jsonl").write_text("\n".join(lines))
    assert run(queries=tmp_path / "q.jsonl")[0] == 0
    pairs = ["image,text,lang,split"] + [f"{i},a {i.replace('-', ' ')},en,train" for i in ITEMS]
    (tmp_path / "pairs.csv").write_text("\n".join(pairs))
    words = ("--force", "--split", "train", "--lang", "en")
    assert run(*words, queries=tmp_path / "pairs.csv")[0] == 0


def test_unknown_ids_are_told_and_left_out(run, tmp_path):
    path = labelled(tmp_path)
    path.write_text(path.read_text() + "the unicorn,nowhere-unicorn\n")
    code, out, err = run("--json", queries=path)
    assert code == 0
    assert json.loads(out)["unknown"] == 1
    assert len(json.loads(out)["skipped"]) == 1
    assert "nowhere-unicorn" in err


@pytest.mark.parametrize(
    ("content", "words", "told"),
    [
        ("text,relevant\nowl,nobody\n", (), "none of the 1 relevant items, such as 'nobody'"),
        ("text,relevant\nowl,\n", (), "needs a text or an image"),
        ("text,relevant\n", (), "no labelled query"),
        ("question,answer\na,b\n", (), "no columns of labelled queries"),
        ("text,relevant\nowl,sea-owl\n", (), "cannot be divided"),
        ("text,relevant,split\nowl,sea-owl,a\n", ("--split", "b"), "no labelled query is in"),
        ("text,relevant\nowl,sea-owl\n", ("--method", "rrf"), "does not learn"),
        ("text,relevant\nowl,sea-owl\n", ("--method", "nope"), "no fusion 'nope'"),
        ("text,relevant\nowl,sea-owl\n", ("--set", "regularisation=-1"), "regularisation"),
        ("text,relevant\nowl,sea-owl\n", ("--set", "nope=1"), "nope"),
        ("text,relevant\nowl,sea-owl\n", ("--collection", "nope"), "no collection 'nope'"),
        (b"text,relevant\n\xff\xfe,x\n", (), "not UTF-8"),
        (None, (), "cannot be read"),
        ("text,relevant\nx,sea-owl\nx,sea-owl\n", ("--split", "a", "--val", "a"), "both 'a'"),
    ],
)
def test_bad_input_is_one_line_and_code_2(run, tmp_path, content, words, told):
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, _, err = run(*words, queries=path)
    assert code == 2
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "fused" / "fusion.json").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "no JSON"),
        ("[1]", "no object"),
        ('{"text": 3, "relevant": ["x"]}', "text is no text"),
        ('{"text": "a", "relevant": "x"}', "none of the 1"),
        ('{"text": "a", "relevant": [1]}', "no list of ids"),
    ],
)
def test_bad_json_lines_are_told_with_their_line(run, tmp_path, line, told):
    (tmp_path / "bad.jsonl").write_text(line)
    code, _, err = run(queries=tmp_path / "bad.jsonl")
    assert code == 2
    assert told in err


def test_a_fusion_is_refused_for_other_routes_and_encoders(run, write_config, tmp_path):
    assert run()[0] == 0
    fused = f"{{type: saved, path: {tmp_path / 'fused'}}}"
    other_routes = write_config(fused, "other.yaml")
    other_routes.write_text(other_routes.read_text().replace("note:", "remark:"))
    with pytest.raises(FingerprintError, match=r"'words->note' by 'bm25'.*no such route"):
        Host.from_config(other_routes)
    card = tmp_path / "fused" / "fusion.json"
    card.write_text(card.read_text().replace("colour-words-1", "colour-words-0"))
    with pytest.raises(FingerprintError, match=r"colour-words-0.*deployment has colour-words-1"):
        Host.from_config(write_config(fused, "older.yaml"))


def test_a_method_that_was_not_fitted_cannot_be_deployed(write_config):
    with pytest.raises(ConfigError, match="tiepoint fusion fit"):
        Host.from_config(write_config("{type: attention}"))
    with pytest.raises(InputError, match="no fitted fusion here"):
        Host.from_config(write_config("{type: saved, path: ./nowhere}"))
