"""A shop made by code, its shoppers with hidden tastes, and whether recommendations find them.

    python examples/recommendation.py

Makes products with pictures and titles, and what shoppers did with them for two months; fits
`examples/recommendation.yaml` on it; then lets the shoppers visit once more, and compares the
click-through of what is blended with that of what is popular. The tastes decide the clicks, and
nothing else sees them. Exit code 1 where they were not found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.filters import Filters
from tiepoint_recommendation.reading.mapping import read_mapping
from tiepoint_recommendation.reading.records import ReadReport, read_events, read_products
from tiepoint_recommendation.rules.rule import Rule, Selector
from tiepoint_recommendation.service import RecommendationService
from tiepoint_recommendation.simulation.shop import Shop, simulate
from tiepoint_recommendation.simulation.shoppers import click_probability
from tiepoint_recommendation.types import Event

CONFIG = Path(__file__).with_suffix(".yaml")


def main() -> int:
    """Make the shop, fit, and try."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--items", type=int, default=144)
    parser.add_argument("--folder", type=Path, help="where to keep the shop and the store")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiepoint-shop-") as name:
        folder = arguments.folder or Path(name)
        shop = simulate(arguments.users, arguments.items)
        shop.write(folder / "shop")
        with RecommendationService.from_config(CONFIG, folder / "store") as service:
            fill(service, folder / "shop")
            follow(service, shop)
            steer(service, shop)
            found = visit(service, shop)
    return 0 if found else 1


def fill(service: RecommendationService, folder: Path) -> None:
    """Bring in the files, and fit."""
    mapping, report = read_mapping(None), ReadReport()
    products = read_products(str(folder / "items.csv"), mapping.items, folder, report)
    service.put_products(list(products))
    events = read_events(str(folder / "events.csv"), mapping.events, report)
    recorded = service.record_events(list(events))
    started = time.perf_counter()
    if not service.refit():
        sys.exit(f"the fit failed: {service.health()['refit']['reason']}")
    print(f"{recorded.kept} events; fitted in {time.perf_counter() - started:.1f} s")


def follow(service: RecommendationService, shop: Shop) -> None:
    """Show that an answer follows the last click of somebody new."""
    visitor = next(
        f"visitor {n}"
        for n in range(99)
        if service.recommend(Ask(user=f"visitor {n}")).arm == "blend"
    )
    for kind in ("mug", "lamp"):
        item = next(one for one in shop.items if one.kind == kind and one.stock)
        service.record_event(Event(visitor, item.id, "click", time.time()))
        best = service.recommend(Ask(user=visitor, k=3, explain=True)).items
        print(f"\nafter a click on {item.title}:")
        for one in best:
            print(f"  {one.title}: {one.reasons.words if one.reasons else ''}")


def steer(service: RecommendationService, shop: Shop) -> None:
    """Show filters, and a rule with its preview and undoing."""
    answered = service.recommend(Ask(user="visitor", filters=Filters(most_price=1)))
    print(f"\nfor at most 1: {answered.empty_because}")
    rule = Rule(name="rugs week", action="boost", select=Selector(category="rug"), strength=3)
    preview = service.preview_rule(rule, Ask(user="visitor", k=5))
    print(f"the rule {rule.name!r} would bring in {', '.join(preview.entered)}")
    number = service.apply_rule(rule, "the manager")
    service.undo_rule("the manager", number)


def visit(service: RecommendationService, shop: Shop) -> bool:
    """Let every shopper visit; return whether the blend earned surely more than the popular."""
    rng = np.random.default_rng(0)
    numbers = {item.id: number for number, item in enumerate(shop.items)}
    for user, shopper in enumerate(shop.shoppers):
        clicks = click_probability(shop.likings[user] + 1)
        for one in service.recommend(Ask(user=shopper.id, k=10)).items:
            if rng.random() < clicks[numbers[one.id]]:
                service.record_event(Event(shopper.id, one.id, "click", time.time()))
    print("\narm      users  shown  clicked  click-through")
    arms = service.experiment_results()
    for arm in arms:
        counts = f"{arm.users:6} {arm.shown:6} {arm.clicked:8}"
        print(f"{arm.arm:8} {counts}  {arm.rate:.3f} ({arm.low:.3f} to {arm.high:.3f})")
    low = arms[1].difference_low or 0.0
    print(f"the blend earns at least {low:.3f} more (95 %)")
    return low > 0


if __name__ == "__main__":
    sys.exit(main())
