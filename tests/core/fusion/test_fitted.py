"""Fusions that learn from labelled queries."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.core.fusion.synthetic import FINGERPRINTS, examples
from tiepoint.alignment.fitting import FitSettings
from tiepoint.errors import ConfigError, InputError
from tiepoint.fusion.attention import AttentionFusion
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.calibrating import calibrate, cross_validated, fused_hits
from tiepoint.fusion.collecting import ExampleCollector
from tiepoint.fusion.evaluating import difference, figures, fused_scores, ranks_by_method
from tiepoint.fusion.examples import NOT_FOUND, wanted_items
from tiepoint.fusion.learned_weights import LearnedWeights
from tiepoint.fusion.match_head import MATCH, MatchHeadFusion
from tiepoint.fusion.saved import saved_fusion
from tiepoint.testing.fusion import FusionConformance

QUICK = {"epochs": 12, "batch": 32, "learning_rate": 0.02}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On matrices this small, threads that wait for each other take most of the time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def learned():
    return examples(400, seed=0, vectors=True)


@pytest.fixture(scope="module")
def held_out():
    return examples(200, seed=1, vectors=True)


@pytest.fixture(scope="module")
def weights(learned):
    fusion = LearnedWeights()
    fusion.fit(learned)
    return fusion


@pytest.fixture(scope="module")
def attention(learned, held_out):
    fusion = AttentionFusion(**QUICK)
    fusion.fit(learned, held_out)
    return fusion


@pytest.fixture(scope="module")
def match_head(learned):
    fusion = MatchHeadFusion(
        epochs=12, batch=16, hidden=32, depth=10, dropout=0.1, learning_rate=0.005
    )
    fusion.fit(learned)
    return fusion


def rsum(fusion, data):
    return figures(data.ranks(fused_scores(fusion, data)))["rsum"]


class TestLearnedWeights(FusionConformance):
    def make_fusion(self):
        fusion = LearnedWeights()
        fusion.fit(examples(60))
        return fusion


class TestAttention(FusionConformance):
    def make_fusion(self):
        fusion = AttentionFusion(epochs=1)
        fusion.fit(examples(60))
        return fusion


class TestMatchHead(FusionConformance):
    def make_fusion(self):
        fusion = MatchHeadFusion(epochs=1, depth=3)
        fusion.fit(examples(60, vectors=True))
        return fusion


def test_routes_that_know_weigh_more_than_noise(weights):
    assert weights.weights["text->image"] > 0.2
    assert weights.weights["words->text"] > 0.2
    assert weights.weights["text->text"] < 0.1


def test_learned_weights_are_the_likeliest(learned, weights):
    """No small change of a weight makes the labelled choices likelier."""

    def loss(values):
        scores = learned.known_standing() @ values
        rows, columns = learned.links.T
        right = scores[rows, columns]
        rivals = np.where((learned.candidates >= 0) & ~learned.relevant, scores, -np.inf)
        total = np.log(np.exp(rivals[rows]).sum(1) + np.exp(right))
        return (total - right).mean() + 1e-3 * values @ values

    found = np.array([weights.weights[route] for route in learned.routes])
    for column in range(3):
        for step in (-0.05, 0.05):
            changed = found.copy()
            changed[column] = max(0.0, changed[column] + step)
            assert loss(changed) >= loss(found) - 1e-6


def test_attention_beats_fixed_weights_where_a_route_knows_only_some_queries(
    weights, attention, held_out
):
    fixed = held_out.ranks(fused_scores(weights, held_out))
    attended = held_out.ranks(fused_scores(attention, held_out))
    assert rsum(attention, held_out) > rsum(weights, held_out) + 20
    assert difference(attended, fixed, wanted_items(held_out))["p"] < 0.05


def test_attention_weighs_the_route_that_knows(attention, held_out):
    first, second = (
        {route.route: attention.weigh([route, *rest])[0] for route, *rest in [routes]}
        for routes in (held_out.route_scores(0), held_out.route_scores(1))
    )
    assert first["text->image"] > 2 * second["text->image"]


def test_attention_weighs_only_the_routes_that_take_part(attention, held_out):
    routes = held_out.route_scores(0)
    alone = attention.weigh(routes[:1])
    both = attention.weigh(routes[:2])
    assert alone[0] == pytest.approx(sum(both), rel=1e-5)
    assert len(both) == 2


def test_attention_is_the_same_in_search_as_in_training(learned):
    """The numpy weights of `weigh` are those of the torch model."""
    import torch

    from tiepoint.fusion.attention_training import QueryTensors, RouteAttention

    fusion = AttentionFusion(epochs=2, batch=32)
    fusion.fit(learned)
    model = RouteAttention(learned, fusion._inputs, np.ones(3), fusion.options, 0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(np.asarray(fusion.tensors[name])))
        data = QueryTensors(learned, fusion._inputs)
        expected = model.weights(data.inputs, data.asked).numpy()
    found = [fusion.weigh(learned.route_scores(row)) for row in range(20)]
    np.testing.assert_allclose(found, expected[:20], rtol=1e-4)


def test_a_match_head_learns_what_the_routes_miss(weights, match_head, held_out):
    assert rsum(match_head, held_out) > rsum(weights, held_out) + 10


def test_a_match_head_re_ranks_the_best_and_nothing_else(weights, match_head, held_out):
    for query in range(10):
        routes = held_out.route_scores(query)
        base = np.array([sum(c.value for c in share) for share in weights.fuse(routes)])
        shares = match_head.fuse(routes)
        looked_at = [i for i, share in enumerate(shares) if share[-1].route == MATCH]
        assert set(looked_at) == set(np.argsort(-base, kind="stable")[:10].tolist())
        scores = np.array([sum(c.value for c in share) for share in shares])
        others = np.setdiff1d(np.arange(len(scores)), looked_at)
        assert scores[looked_at].min() >= scores[others].max() - 1e-6
        assert all(0 <= shares[i][-1].similarity <= 1 for i in looked_at)


def test_a_match_head_takes_a_single_route(match_head, held_out):
    shares = match_head.fuse(held_out.route_scores(0)[:1])
    assert {c.route for share in shares for c in share} == {"text->image", MATCH}


@pytest.mark.parametrize(
    ("made", "vectors"),
    [(LearnedWeights, False), (AttentionFusion, False), (MatchHeadFusion, True)],
)
def test_missing_routes_are_learned_around(made, vectors):
    data = examples(200, missing=0.4, vectors=vectors)
    assert not data.asked.all()
    options = {} if made is LearnedWeights else {"epochs": 3}
    fusion = made(**options)
    fusion.fit(data)
    scores = fused_scores(fusion, data)
    assert np.isfinite(scores[data.candidates >= 0]).all()
    assert figures(data.ranks(scores))["R@1"] > 20


@pytest.mark.parametrize("made", [LearnedWeights, AttentionFusion, MatchHeadFusion])
def test_the_same_seed_gives_the_same_fusion(made, tmp_path):
    data = examples(60, vectors=True)
    options = {} if made is LearnedWeights else {"epochs": 2}
    hashes = []
    for _ in range(2):
        fusion = made(**options)
        fusion.fit(data, None, FitSettings(7))
        hashes.append(fusion.card.sha256)
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("fixture", ["weights", "attention", "match_head"])
def test_a_saved_fusion_fuses_as_before(fixture, request, held_out, tmp_path):
    fusion = request.getfixturevalue(fixture)
    fusion.save(tmp_path)
    again = saved_fusion(tmp_path)
    assert again.fitted_routes() == FINGERPRINTS
    routes = held_out.route_scores(3)
    assert again.fuse(routes) == fusion.fuse(routes)


def test_a_route_that_was_not_fitted_weighs_the_mean_and_is_told_of_once(weights, caplog):
    route = RouteScores("image->image", np.array([1.0, 2.0], np.float32), 0.0, 1.0)
    known = RouteScores("text->image", np.array([1.0, 2.0], np.float32), 0.0, 1.0)
    for _ in range(2):
        shares = weights.fuse([known, route])
    assert shares[0][1].weight == pytest.approx(weights.weights["text->image"])
    assert sum("image->image" in record.getMessage() for record in caplog.records) == 1


# What nothing can be learned from


def collected(*queries):
    collector = ExampleCollector({"a": "1", "b": "2"}, 10)
    for pool, table, relevant in queries:
        routes = [
            RouteScores(name, np.array(scores, np.float32), 0.0, 1.0)
            for name, scores in table.items()
        ]
        collector.add(pool, routes, relevant)
    return collector.finish()


@pytest.mark.parametrize("made", [LearnedWeights, AttentionFusion, MatchHeadFusion])
@pytest.mark.parametrize(
    "data",
    [
        collected((["x", "y"], {"a": [1, 2], "b": [2, 1]}, {"x", "y"})),  # all are right
        collected((["x", "y"], {"a": [1, 2], "b": [2, 1]}, {"z"})),  # none is
        collected((["x"], {"a": [1], "b": [2]}, {"x"})),  # there is no other
    ],
)
def test_labels_that_teach_nothing_are_refused_in_one_line(made, data):
    with pytest.raises(InputError, match="can teach") as caught:
        made().fit(data)
    assert "\n" not in str(caught.value)


def test_routes_that_are_worse_than_chance_are_refused():
    data = collected(*[(["x", "y"], {"a": [-1, 1], "b": [-2, 0]}, {"x"})] * 5)
    with pytest.raises(InputError, match="nothing to weigh"):
        LearnedWeights().fit(data)


def test_one_labelled_query_is_enough_to_fit():
    data = collected((["x", "y", "z"], {"a": [3, 1, 0], "b": [0, 0, 0]}, {"x"}))
    for made in (LearnedWeights(), AttentionFusion(epochs=1), MatchHeadFusion(epochs=1)):
        made.fit(data)
        assert fused_scores(made, data)[0].argmax() == 0


def test_a_route_that_is_always_right_keeps_a_finite_weight():
    data = collected(*[(["x", "y"], {"a": [5, 0], "b": [0, 0]}, {"x"})] * 20)
    fusion = LearnedWeights()
    fusion.fit(data)
    assert 0 < fusion.weights["a"] < 100


def test_infinite_similarities_are_refused():
    with pytest.raises(InputError, match="infinite"):
        collected((["x", "y"], {"a": [np.inf, 1]}, {"x"}))


def test_a_route_without_any_similarity_does_no_harm():
    nan = float("nan")
    data = collected(*[(["x", "y"], {"a": [2, 0], "b": [nan, nan]}, {"x"})] * 9)
    for made in (LearnedWeights(), AttentionFusion(epochs=1)):
        made.fit(data)
        assert np.isfinite(fused_scores(made, data)).all()


def test_no_candidate_at_all_is_refused():
    with pytest.raises(InputError, match="no labelled query has a candidate"):
        collected(([], {"a": []}, {"x"}))


def test_held_out_queries_of_other_routes_are_refused():
    data = collected(*[(["x", "y"], {"a": [2, 0], "b": [1, 0]}, {"x"})] * 3)
    val = collected(*[(["x", "y"], {"a": [2, 0]}, {"x"})] * 3)
    with pytest.raises(InputError, match="other routes"):
        LearnedWeights().fit(data, val)


def test_an_unfitted_fusion_says_how_to_fit_it():
    with pytest.raises(ConfigError, match="tiepoint fusion fit"):
        AttentionFusion().fuse([])
    with pytest.raises(ConfigError, match="width"):
        AttentionFusion(width=0)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda folder: (folder / "fusion.json").unlink(), "no fitted fusion"),
        (lambda folder: (folder / "fusion.json").write_text("{}"), "not the card"),
        (lambda folder: (folder / "fusion.safetensors").write_bytes(b"x"), "SHA-256"),
        (lambda folder: (folder / "fusion.safetensors").unlink(), "cannot be read"),
        (lambda folder: edit_card(folder, format=99), "format 99"),
        (lambda folder: edit_card(folder, method="rrf"), "does not learn"),
        (lambda folder: edit_card(folder, method="attention", options={}), "do not fit"),
    ],
)
def test_damaged_files_are_refused_in_one_line(weights, tmp_path, harm, told):
    harm(weights.save(tmp_path))
    with pytest.raises(InputError, match=told) as caught:
        saved_fusion(tmp_path)
    assert "\n" not in str(caught.value)


def edit_card(folder, **changes):
    path = folder / "fusion.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# What a score means


def test_probabilities_are_calibrated_apart_from_scores(weights, held_out):
    weights.with_card(calibration=calibrate(weights, held_out))
    fresh = examples(300, seed=2)
    scores = fused_scores(weights, fresh)
    stated = np.array([weights.probabilities(row, fresh.gallery).max() for row in scores])
    right = fresh.relevant[np.arange(len(scores)), scores.argmax(1)]
    assert abs(stated.mean() - right.mean()) < 0.08
    assert stated[right].mean() > stated[~right].mean() + 0.1
    assert weights.probabilities(scores[0], 10 * fresh.gallery).max() <= stated[0] + 1e-9


def test_without_a_calibration_there_is_no_probability(attention):
    assert attention.probabilities(np.array([2.0, 1.0]), 10) is None


def test_reliability_is_measured_on_queries_that_were_not_calibrated_on(weights, held_out):
    measured = cross_validated(weights, held_out)
    assert measured["ece"] < 0.15
    assert measured["brier_skill"] > 0


def test_smaller_galleries_are_answered_better(weights, held_out):
    scores = fused_scores(weights, held_out)
    hits = fused_hits(scores, held_out, 0)
    correct = {size: hits.correct[hits.sizes == size].mean() for size in np.unique(hits.sizes)}
    assert correct[6] > correct[60]


def test_every_route_and_fusion_is_ranked(weights, held_out):
    ranks = ranks_by_method({"learned": weights}, held_out)
    assert list(ranks) == [*FINGERPRINTS, "rrf", "equal weights", "learned"]
    assert figures(ranks["learned"])["rsum"] > figures(ranks["text->text"])["rsum"]


def test_what_no_route_proposed_is_never_found():
    data = collected((["x", "y"], {"a": [1, 2]}, {"z"}))
    assert data.ranks(np.zeros((1, 2))).tolist() == [NOT_FOUND]
    assert figures(data.ranks(np.zeros((1, 2))))["R@10"] == 0


def test_ties_count_against_the_relevant_item():
    data = collected((["x", "y", "z"], {"a": [1, 1, 0]}, {"x"}))
    assert data.ranks(data.standing[:, :, 0]).tolist() == [1]
