"""The sections of a report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_HEADINGS: dict[str, tuple[str, ...]] = {
    "indication": (
        "indication",
        "indications",
        "clinical indication",
        "clinical history",
        "clinical information",
        "clinical data",
        "history",
        "reason for exam",
        "reason for examination",
        "reason for study",
        "病史",
        "临床病史",
        "临床诊断",
        "临床资料",
        "检查目的",
    ),
    "technique": (
        "technique",
        "exam",
        "examination",
        "exam type",
        "procedure",
        "procedure comments",
        "study",
        "views",
        "检查方法",
        "检查部位",
        "检查技术",
        "检查名称",
    ),
    "comparison": ("comparison", "comparisons", "comparison studies", "对比", "既往检查", "对照"),
    "findings": (
        "findings",
        "finding",
        "report",
        "results",
        "observations",
        "检查所见",
        "影像所见",
        "影像学表现",
        "影像表现",
        "放射学表现",
        "描述",
        "所见",
    ),
    "impression": (
        "impression",
        "impressions",
        "conclusion",
        "conclusions",
        "opinion",
        "summary",
        "interpretation",
        "assessment",
        "诊断意见",
        "影像诊断",
        "诊断印象",
        "放射学诊断",
        "印象",
        "结论",
        "诊断",
        "意见",
    ),
    "recommendation": ("recommendation", "recommendations", "advice", "建议"),
}
_BY_NAME = {name: kind for kind, names in _HEADINGS.items() for name in names}

# At the start of a line any heading counts; within one, only a known one that is shouted.
_AT_LINE = re.compile(
    r"^[ \t]*(?:[-*#]+[ \t]*)?([A-Za-z\u4e00-\u9fff][A-Za-z\u4e00-\u9fff /()-]{1,40}?)[ \t]*[:：]",
    re.MULTILINE,
)
_SHOUTED = re.compile(r"(?<![A-Za-z])([A-Z][A-Z ]{3,40}?)[ \t]*:")
_ALONE = re.compile(
    r"^[ \t]*([A-Za-z\u4e00-\u9fff][A-Za-z\u4e00-\u9fff ]{1,40}?)[ \t]*$", re.MULTILINE
)

IMAGE_SECTIONS = frozenset({"findings", "impression", "body"})
"""The sections that speak of what the image shows."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report under one heading.

    Attributes:
        name: `indication`, `technique`, `comparison`, `findings`, `impression`,
            `recommendation`, `body` (no heading before it) or `other` (an unknown heading).
        start: Where its text begins in the report.
        end: Where it ends.
    """

    name: str
    start: int
    end: int


def sections_of(text: str) -> list[Section]:
    """Return the sections in their order; text without any heading is one `body`.

    An unknown heading opens a section `other`: it is never taken for a known one that it
    resembles.
    """
    headings: dict[int, tuple[int, str]] = {}
    for found in _AT_LINE.finditer(text):
        headings[found.start(1)] = (found.end(), _BY_NAME.get(_plain(found[1]), "other"))
    for expression in (_SHOUTED, _ALONE):
        for found in expression.finditer(text):
            kind = _BY_NAME.get(_plain(found[1]))
            if kind is not None:
                headings.setdefault(found.start(1), (found.end(), kind))
    starts = sorted(headings)
    sections = []
    if not starts or text[: starts[0]].strip():
        sections.append(Section("body", 0, starts[0] if starts else len(text)))
    for start, following in pairwise([*starts, len(text)]):
        begins, kind = headings[start]
        if text[begins:following].strip():
            sections.append(Section(kind, begins, following))
    return sections


def _plain(heading: str) -> str:
    return " ".join(heading.lower().replace("(s)", "s").split())
