"""A folder of images with sidecars becomes items, and what is broken is said."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tiepoint.errors import InputError
from tiepoint.types import Item, Skipped
from tiepoint_adapters.media.folder import FolderSource


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path)
    return path


def read(folder: Path, **options) -> list[Item | Skipped]:
    return list(FolderSource(folder, **options).items({}))


def test_items_come_in_a_fixed_order_with_ids_that_are_relative_paths(tmp_path):
    for name in ("b.jpg", "a.PNG", "deep/er/c.jpeg", "notes.md", ".hidden.jpg", ".git/x.png"):
        if name.endswith("md"):
            (tmp_path / name).write_text("no image")
        elif name.endswith("PNG"):
            picture(tmp_path / "a.png").rename(tmp_path / name)
        else:
            picture(tmp_path / name)
    assert [item.id for item in read(tmp_path)] == ["a.PNG", "b.jpg", "deep/er/c.jpeg"]
    assert [item.id for item in read(tmp_path, recursive=False)] == ["a.PNG", "b.jpg"]
    assert [item.id for item in read(tmp_path, extensions=["PNG"])] == ["a.PNG"]


def test_the_number_of_images_is_known_once_reading_has_begun(tmp_path):
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "b.jpg")
    source = FolderSource(tmp_path)
    next(iter(source.items({})))
    assert source.total == 2


def test_sidecars_give_text_metadata_and_id(tmp_path):
    picture(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("一只猫\n", encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps({"id": "cat", "metadata": {"n": 3, "t": ["x"]}}))
    picture(tmp_path / "b.jpg")
    (tmp_path / "b.json").write_text(json.dumps({"text": "a dog"}))
    picture(tmp_path / "c.jpg")
    (tmp_path / "c.txt").write_text("  \n")
    cat, dog, bare = read(tmp_path)
    assert (cat.id, cat.parts["text"], cat.metadata) == ("cat", "一只猫", {"n": 3, "t": ["x"]})
    assert dog.parts["text"] == "a dog"
    assert "text" not in bare.parts


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b'{"text": ', "not valid JSON"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.json", b'{"metadata": {"year": ' + b"1" * 5000 + b"}}", "not valid JSON"),
        ("a.json", b'{"id": "a\\ud800"}', "half of a surrogate pair"),
        ("a.json", b'{"text": "a\\ud800"}', "half of a surrogate pair"),
        ("a.json", b'{"metadata": {"a": "\\ud800"}}', "half of a surrogate pair"),
        ("a.json", b"[1]", "wrong value"),
        ("a.json", b'{"txt": "x"}', "wrong txt: extra inputs"),
        ("a.json", b'{"text": 5}', "wrong text"),
        ("a.json", b'{"metadata": {"a": null}}', "wrong metadata.a"),
        ("a.json", b'{"metadata": {"a": {"b": 1}}}', "wrong metadata.a"),
        ("a.json", b'{"id": ""}', "wrong id"),
        ("a.json", "é".encode("latin-1"), "not UTF-8"),
        ("a.txt", b"\xff\xfe\x00", "a.txt is not UTF-8"),
        ("a.txt", b"x" * (5 << 20), "a.txt is larger"),
    ],
)
def test_a_broken_sidecar_is_skipped_and_named(tmp_path, name, content, reason):
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "b.jpg")
    (tmp_path / name).write_bytes(content)
    skipped, item = read(tmp_path)
    assert skipped.where == "a.jpg"
    assert reason in skipped.reason
    assert item.id == "b.jpg"


def test_two_texts_for_one_image_are_not_guessed_between(tmp_path):
    picture(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "a.json").write_text('{"text": "two"}')
    [skipped] = read(tmp_path)
    assert "and so does the .txt file" in skipped.reason


def test_links_that_leave_the_folder_are_refused(tmp_path):
    outside = picture(tmp_path / "outside" / "secret.jpg")
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    inside = tmp_path / "inside"
    picture(inside / "a.jpg")
    picture(inside / "z.jpg")
    (inside / "b.jpg").symlink_to(outside)
    (inside / "c").symlink_to(tmp_path / "outside")
    (inside / "d.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (inside / "e.jpg").symlink_to(inside / "a.jpg")
    (inside / "z.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    found = read(inside)
    assert [item.id for item in found if isinstance(item, Item)] == ["a.jpg", "e.jpg"]
    assert {s.where: s.reason for s in found if isinstance(s, Skipped)} == {
        "b.jpg": "the link leaves the folder",
        "c": "links to folders are not followed",
        "d.jpg": "the link leads nowhere",
        "z.jpg": "its sidecar z.txt is a link that leaves the folder",
    }


def test_the_same_id_twice_is_an_error_that_names_both(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / name)
        (tmp_path / name).with_suffix(".json").write_text('{"id": "x"}')
    with pytest.raises(InputError, match=r"'x' is given twice: by a\.jpg and by b\.jpg"):
        next(FolderSource(tmp_path).items({}))


def test_a_missing_or_empty_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read(tmp_path / "absent")
    with pytest.raises(InputError, match="holds no image"):
        read(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        read(picture(tmp_path / "a.jpg"))


def test_a_name_that_cannot_be_an_id_is_skipped(tmp_path):
    picture(tmp_path / "a.jpg").rename(tmp_path / "\udcff.jpg")
    [skipped] = read(tmp_path)
    assert skipped.where == r"'\udcff.jpg'"
