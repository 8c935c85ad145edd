"""Turns of a session in Chinese."""

from __future__ import annotations

import re

from tiepoint.conversation.moves import ALL, LAST, Move

_DIGITS = {digit: rank for rank, digit in enumerate("一二三四五六七八九十", 1)} | {"两": 2}
_COUNTED = "[个張张件条只款幅双]"
_RANK = (
    rf"(?:第\s*(?:[一二三四五六七八九十两]|\d{{1,4}})\s*{_COUNTED}?|最后一?{_COUNTED}?"
    rf"|[这那]{_COUNTED}|[这那]些)"
)
_RANKS = rf"(?P<ranks>{_RANK}(?:[、和与跟,，]\s*{_RANK})*)"
_END = r"[\s。！？!?吧了]*$"
_NO = "(?:不要有?|没有|不带|不含|不包含|别有?|去掉|除去|除了|排除|无|不想要|不需要|不能有)"

_RESTART = re.compile(
    r"^(?:重新开始|重新搜索|重新搜|重新来|重来|从头开始|清空|新的?搜索)[\s，,。:：！]*(?P<rest>.*)$"
)
_UNDO = re.compile(rf"^(?:撤销|撤回|返回|回到上一步|上一步|后退){_END}")
_NEXT = re.compile(rf"^(?:下一页|更多|再来一些|再来一?点|还有吗|还有别的吗|继续){_END}")
_LIKE = re.compile(
    r"^(?:再来|再找|找|要|更多|多来)?(?:一些|些|点)?(?:更?像|类似于?|和|跟|与)\s*"
    rf"{_RANKS}\s*(?:一样|这样|那样|类似|相似|差不多)?的?{_END}"
)
_UNLIKE = re.compile(
    rf"^(?:不要|别|不像|不是|去掉|除了)\s*(?:像)?\s*{_RANKS}\s*(?:那样|这样)?的?{_END}"
)
_WITHOUT = re.compile(rf"^(?:但是?|而且|也)?{_NO}\s*(?P<what>.+?)(?:以外|之外)?的?{_END}")
_WITHOUT_THEN = re.compile(
    r"^(?:没有|不带|不含|不包含|无)\s*(?P<what>[^的，,]+)的(?P<wanted>[^那这].*?)[\s。！？]*$"
)
_INLINE = re.compile(rf"^(?P<wanted>.+?)[\s，,]+(?:但是?|而且)?{_NO}\s*(?P<what>.+?)的?{_END}")
_SHIFT = re.compile(rf"^(?:换成|换为|改成|改为|变成|换|还是要?)\s*(?P<what>.+?)(?P<of>的?){_END}")
_LEADING = re.compile(r"^(?:只要|只看|仅要?|就要|我?想?要|给我|最好是?|再|也要|而且|并且|还要)+\s*")
_ONES = re.compile(rf"的(?:[那这一]?(?:{_COUNTED}|些))?$")


def moves(text: str, *, first: bool) -> list[Move] | None:
    """Return what a turn says; None where it has no Chinese in it.

    Args:
        text: The turn.
        first: Whether nothing was asked before, so that there is nothing to refine.
    """
    if not is_chinese(text):
        return None
    if restart := _RESTART.match(text):
        rest = restart["rest"].strip()
        return [Move("restart"), *(_asked(rest) if rest else [])]
    if first:
        return _asked(text)
    if _UNDO.match(text):
        return [Move("undo")]
    if _NEXT.match(text):
        return [Move("next")]
    if found := _LIKE.match(text):
        return [Move("like", ranks=_ranks(found["ranks"]))]
    if found := _UNLIKE.match(text):
        return [Move("unlike", ranks=_ranks(found["ranks"]))]
    if found := _WITHOUT.match(text):
        return [Move("without", found["what"])]
    if found := _SHIFT.match(text):
        return [Move("shift", found["what"], attribute=bool(found["of"]))]
    if found := _INLINE.match(text):
        return [Move("narrow", attribute_of(found["wanted"])), Move("without", found["what"])]
    return [Move("narrow", attribute_of(text.rstrip("。！？!? ")))]


def is_chinese(text: str) -> bool:
    """Tell whether a text has Chinese characters."""
    return any("\u3400" <= letter <= "\u9fff" for letter in text)


def attribute_of(text: str) -> str:
    """Return what a narrowing names.

    >>> attribute_of("只要红色的那个")
    '红色'
    """
    bare = _LEADING.sub("", text.strip())
    return _ONES.sub("", bare) or bare


def joined(asked: str, narrowings: list[str]) -> str:
    """Return a query in words: properties before what has them.

    >>> joined("鞋子", ["红色", "皮质"])
    '红色的皮质的鞋子'
    """
    return "".join([*(f"{narrowing}的" for narrowing in narrowings if asked), asked]) or "".join(
        narrowings
    )


def _asked(text: str) -> list[Move]:
    if found := _WITHOUT_THEN.match(text):
        return [Move("ask", found["wanted"]), Move("without", found["what"])]
    if found := _INLINE.match(text):
        return [Move("ask", found["wanted"]), Move("without", found["what"])]
    return [Move("ask", text)]


def _ranks(text: str) -> tuple[int, ...]:
    found = []
    for word in re.findall(rf"{_RANK}", text):
        number = re.search(r"[一二三四五六七八九十两]|\d+", word)
        if word.startswith("第") and number:
            found.append(_DIGITS.get(number[0]) or int(number[0]))
        elif word.startswith("最后"):
            found.append(LAST)
        else:
            found.append(ALL if word.endswith("些") else 1)
    return tuple(found)
