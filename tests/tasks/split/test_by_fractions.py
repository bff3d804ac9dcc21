import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.errors import EmptySplit
from tasks.split import by_fractions
from tests.project import examples
from tests.tasks.split.tables import images, linked, mixed, shares, table, torn

SIZES = st.lists(st.integers(1, 5), min_size=3, max_size=40)
WEIGHTS = st.tuples(st.integers(1, 10), st.integers(0, 5), st.integers(0, 5))
PAIRS = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=25)
SEEDS = st.integers(0, 1000)


def deviations(rows, places, wanted):
    """Pictures above (or below) the share of each split, of one class."""
    found = places[rows.index].value_counts()
    return {split: found.get(split, 0) - share * len(rows) for split, share in wanted.items()}


@given(cats=SIZES, dogs=SIZES, weights=WEIGHTS, seed=SEEDS)
@examples(80)
def test_every_picture_has_a_place_every_split_a_picture_and_no_group_is_torn(
    cats, dogs, weights, seed
):
    found = images(cat=cats, dog=dogs)
    wanted = shares(*weights)
    places = by_fractions.assign(found, wanted, seed, {})
    assert torn(found, places) == []
    used = {split for split, share in wanted.items() if share}
    for _, rows in found.groupby("label"):
        assert set(places[rows.index]) == used


@given(cats=SIZES, dogs=SIZES, weights=WEIGHTS, seed=SEEDS)
@examples(80)
def test_shares_are_within_one_group_of_the_target_for_every_class(cats, dogs, weights, seed):
    found = images(cat=cats, dog=dogs)
    wanted = shares(*weights)
    places = by_fractions.assign(found, wanted, seed, {})
    for label, sizes in (("cat", cats), ("dog", dogs)):
        # A share smaller than a group cannot be met by the group that it must get.
        if all(share == 0 or share * sum(sizes) >= max(sizes) for share in wanted.values()):
            rows = found[found["label"] == label]
            off = deviations(rows, places, wanted)
            assert max(map(abs, off.values())) <= max(sizes) + 1e-9


@given(sizes=SIZES, weights=WEIGHTS, seed=SEEDS, order=st.randoms(use_true_random=False))
@examples(80)
def test_the_order_of_rows_does_not_matter(sizes, weights, seed, order):
    found = images(cat=sizes)
    rows = list(found.index)
    order.shuffle(rows)
    shuffled = found.loc[rows].reset_index(drop=True)
    one = by_fractions.assign(found, shares(*weights), seed, {})
    other = by_fractions.assign(shuffled, shares(*weights), seed, {})
    assert dict(zip(found["image"], one, strict=True)) == dict(
        zip(shuffled["image"], other, strict=True)
    )


@given(cats=SIZES, dogs=SIZES, pairs=PAIRS, weights=WEIGHTS, seed=SEEDS)
@examples(150)
def test_groups_of_several_classes_are_not_torn_and_no_split_is_empty(
    cats, dogs, pairs, weights, seed
):
    found = linked(images(cat=cats, dog=dogs), pairs)
    wanted = shares(*weights)
    used = {split for split, share in wanted.items() if share}
    # With nine more pictures that are like no other, each class can be everywhere.
    more = images(cat=[*cats, *[1] * 9], dog=[*dogs, *[1] * 9])
    found = more.assign(
        group=more["image"].map(found.set_index("image")["group"]).fillna(more["group"])
    )
    places = by_fractions.assign(found, wanted, seed, {})
    assert torn(found, places) == []
    for _, rows in found.groupby("label"):
        assert set(places[rows.index]) == used


@given(cats=SIZES, dogs=SIZES, pairs=PAIRS, seed=SEEDS, order=st.randoms(use_true_random=False))
@examples(60)
def test_the_order_of_rows_does_not_matter_to_groups_of_several_classes(
    cats, dogs, pairs, seed, order
):
    found = linked(images(cat=cats, dog=dogs, owl=[1] * 9), pairs)
    assume(found.groupby("label")["group"].nunique().min() >= 6)
    shuffled = found.sample(frac=1, random_state=order.randrange(2**32)).reset_index(drop=True)
    one, other = (
        by_fractions.assign(rows, shares(8, 1, 1), seed, {}) for rows in (found, shuffled)
    )
    assert dict(zip(found["image"], one, strict=True)) == dict(
        zip(shuffled["image"], other, strict=True)
    )


@pytest.mark.parametrize("seed", range(5))
def test_pictures_that_differ_in_colour_only_go_to_one_split_and_the_shares_hold(seed):
    found = images(red=[1] * 100, blue=[1] * 100)
    found = linked(found, [(n, 100 + n) for n in range(40)])
    assert mixed(found).sum() == 80
    wanted = shares(8, 1, 1)
    places = by_fractions.assign(found, wanted, seed, {})
    assert torn(found, places) == []
    for _, rows in found.groupby("label"):
        assert max(map(abs, deviations(rows, places, wanted).values())) <= 2


def test_every_class_has_pictures_in_every_split_though_all_are_alike_across_classes():
    found = linked(images(cat=[1] * 3, dog=[1] * 3, owl=[1] * 3), [(n, 3 + n) for n in range(6)])
    for seed in range(20):
        places = by_fractions.assign(found, shares(8, 1, 1), seed, {})
        assert torn(found, places) == []
        for _, rows in found.groupby("label"):
            assert set(places[rows.index]) == {"train", "validation", "test"}


def test_a_class_that_whole_groups_cannot_spread_is_an_error():
    # Any two of the three groups share a class: two splits cannot both have all three classes.
    rows = [(f"{a}{g}", a, g) for g, classes in zip("123", ("ab", "bc", "ac"), strict=True)
            for a in classes]  # fmt: skip
    with pytest.raises(EmptySplit, match=r"class '.' has no pictures in .*stay together with them"):
        by_fractions.assign(table(rows), shares(1, 0, 1), 7, {})


def test_a_new_picture_joins_a_placed_one_of_another_class():
    found = linked(images(cat=[1] * 4, dog=[1] * 4), [(0, 4)])
    earlier = {"cat-0-0": "test", "cat-1-0": "train", "cat-2-0": "validation"}
    places = by_fractions.assign(found, shares(8, 1, 1), 7, earlier)
    assert places[found["image"] == "dog-0-0"].tolist() == ["test"]
    assert torn(found, places) == []


def test_of_pictures_linked_across_classes_those_in_test_stay():
    found = linked(images(cat=[1] * 4, dog=[1] * 4, owl=[1] * 4), [(0, 4), (0, 8)])
    earlier = {"cat-0-0": "train", "dog-0-0": "test", "cat-1-0": "validation"}
    places = dict(
        zip(found["image"], by_fractions.assign(found, shares(8, 1, 1), 7, earlier), strict=True)
    )
    assert {name: places[name] for name in earlier} == earlier | {"cat-0-0": ""}
    assert places["owl-0-0"] == ""


def test_the_seed_decides():
    found = images(cat=[1] * 60, dog=[1] * 60)
    first, again, other = (
        by_fractions.assign(found, shares(2, 1, 1), seed, {}).tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_one_class_does_not_move_another():
    alone = by_fractions.assign(images(cat=[1] * 20), shares(2, 1, 1), 7, {}).tolist()
    both = by_fractions.assign(images(cat=[1] * 20, dog=[1] * 9), shares(2, 1, 1), 7, {}).tolist()
    assert both[:20] == alone


def test_a_class_with_fewer_groups_than_splits_says_what_it_has_and_needs():
    with pytest.raises(EmptySplit) as failure:
        by_fractions.assign(images(cat=[1] * 9, dog=[4, 3]), shares(8, 1, 1), 7, {})
    message = str(failure.value)
    assert "class 'dog' has 2 different pictures" in message
    assert "at least 3, one for each of train, validation, test" in message


def test_a_split_without_a_share_needs_no_picture():
    assert set(by_fractions.assign(images(cat=[1, 1]), shares(1, 0, 1), 7, {})) == {"train", "test"}


def test_pictures_that_were_placed_keep_their_place_whatever_the_shares():
    earlier = {f"cat-{n}-0": ("train", "validation", "test")[n % 3] for n in range(9)}
    places = by_fractions.assign(images(cat=[1] * 9), shares(8, 1, 1), 7, earlier)
    assert places.tolist() == list(earlier.values())


def test_new_pictures_go_to_the_split_that_is_furthest_behind():
    earlier = {f"cat-{n}-0": "train" for n in range(6)} | {"cat-6-0": "validation"}
    places = by_fractions.assign(images(cat=[1] * 10), shares(6, 1, 3), 7, earlier)
    assert places.tolist()[7:] == ["test"] * 3


def test_a_near_duplicate_of_a_placed_picture_joins_it():
    earlier = {"cat-0-0": "test", "cat-1-0": "train", "cat-2-0": "validation"}
    places = by_fractions.assign(images(cat=[3, 1, 1]), shares(8, 1, 1), 7, earlier)
    assert places.tolist() == ["test"] * 3 + ["train", "validation"]


def test_of_groups_that_a_new_picture_links_the_one_in_test_stays():
    rows = [(f"cat-{n}", "cat", "together" if n in (0, 1, 4) else f"{n}") for n in range(5)]
    earlier = {"cat-0": "train", "cat-1": "test", "cat-2": "validation", "cat-3": "train"}
    places = by_fractions.assign(table(rows), shares(8, 1, 1), 7, earlier)
    assert places.tolist() == ["", "test", "validation", "train", ""]


def test_pictures_placed_before_they_were_known_to_be_alike_are_not_in_two_splits():
    apart = images(cat=[1] * 40, dog=[1] * 40)
    wanted = shares(2, 1, 1)
    first = dict(zip(apart["image"], by_fractions.assign(apart, wanted, 7, {}), strict=True))
    known = linked(apart, [(n, n + 1) for n in range(0, 80, 2)])
    places = by_fractions.assign(known, wanted, 7, first)
    assert torn(known[places != ""], places[places != ""]) == []
    stayed = dict(zip(apart["image"], places, strict=True))
    assert all(stayed[name] in ("", split) for name, split in first.items())
    assert all(stayed[name] == split for name, split in first.items() if split == "test")


def test_a_class_that_lost_all_its_training_pictures_is_an_error():
    found = images(cat=[1] * 9, dog=[1] * 9)
    earlier = dict.fromkeys(found["image"][found["label"] == "dog"], "test")
    with pytest.raises(EmptySplit, match=r"class 'dog' has no pictures in train, .* split\.seed"):
        by_fractions.assign(found, shares(8, 1, 1), 7, earlier)


def test_a_split_that_lost_all_its_pictures_is_an_error():
    found = images(cat=[1] * 9, dog=[1] * 9)
    earlier = {name: "test" if "-0-" in name else "train" for name in found["image"]}
    with pytest.raises(EmptySplit, match="the collection has no pictures in validation"):
        by_fractions.assign(found, shares(8, 1, 1), 7, earlier)


def test_one_class_may_lose_its_test_pictures():
    found = images(cat=[1] * 9, dog=[1] * 9)
    earlier = dict.fromkeys(found["image"][found["label"] == "dog"], "train")
    places = by_fractions.assign(found, shares(8, 1, 1), 7, earlier)
    assert set(places[found["label"] == "dog"]) == {"train"}
    assert set(places) == {"train", "validation", "test"}


@st.composite
def histories(draw):
    """What is there at each visit: clusters of pictures come, grow, go, return and are linked."""
    clusters: dict[str, str] = {f"{label}{n}": label for label in ("ant", "bee") for n in range(6)}
    pictures = {f"{cluster}-0": {cluster} for cluster in clusters}
    present, visits = set(pictures), []
    for _ in range(draw(st.integers(1, 6))):
        visits.append(_seen({name: pictures[name] for name in present}, clusters))
        for label in draw(st.lists(st.sampled_from(["ant", "bee"]), max_size=4)):
            cluster = f"{label}{len(clusters)}"
            clusters[cluster] = label
            for member in range(draw(st.integers(1, 3))):
                pictures[f"{cluster}-{member}"] = {cluster}
                present.add(f"{cluster}-{member}")
        for cluster in draw(st.lists(st.sampled_from(sorted(clusters)), max_size=2)):
            one_more = f"more{len(pictures)}"
            pictures[one_more] = {cluster}
            present.add(one_more)
        if draw(st.booleans()):
            first = draw(st.sampled_from(sorted(clusters)))
            link = f"link{len(pictures)}"
            # Of its own class, or of another: the same picture in another colour.
            pictures[link] = {first, draw(st.sampled_from(sorted(clusters)))}
            present.add(link)
        gone = draw(st.lists(st.sampled_from(sorted(pictures)), max_size=6))
        present.symmetric_difference_update(gone)
    return visits


def _seen(pictures, clusters):
    """A table of the pictures, their groups being the clusters that some of them link."""
    group = {cluster: cluster for cluster in clusters}
    for alike in pictures.values():
        joined = {group[cluster] for cluster in alike}
        group = {c: min(joined) if g in joined else g for c, g in group.items()}
    members: dict[str, list[str]] = {}
    for name in sorted(pictures):
        members.setdefault(group[min(pictures[name])], []).append(name)
    return table(
        [
            (name, clusters[min(pictures[name])], min(names))
            for names in members.values()
            for name in names
        ]
    )


@given(visits=histories(), weights=WEIGHTS, seed=SEEDS)
@examples(80)
def test_no_picture_ever_moves_not_even_one_that_leaves_and_comes_back(visits, weights, seed):
    remembered: dict[str, str] = {}
    for found in visits:
        try:
            places = by_fractions.assign(found, shares(*weights), seed, remembered)
        except EmptySplit:
            continue
        now = dict(zip(found["image"], places, strict=True))
        assert all(now[name] in ("", remembered[name]) for name in now if name in remembered)
        assert all(now[name] for name in now if remembered.get(name) == "test")
        for _, group in found.groupby("group"):
            old = {remembered[name] for name in group["image"] if name in remembered}
            new = {now[name] for name in group["image"] if name not in remembered}
            # Whatever links them, alike pictures are never in two splits.
            assert len({now[name] for name in group["image"]} - {""}) <= 1
            assert len(old) != 1 or {now[name] for name in group["image"]} == old
            # New pictures stay together: with the old ones, or nowhere if those are in two splits.
            assert len(new) <= 1
            if new:
                assert new <= ({""} if len(old) > 1 else old or set(shares(1, 1, 1)))
        remembered |= {name: split for name, split in now.items() if split}


@given(
    additions=st.lists(st.lists(st.integers(1, 4), max_size=12), min_size=1, max_size=5),
    first=st.lists(st.integers(1, 4), min_size=6, max_size=20),
    weights=st.tuples(st.integers(1, 8), st.integers(1, 4), st.integers(1, 4)),
    seed=SEEDS,
)
@examples(120)
def test_shares_stay_within_one_group_of_the_target_while_pictures_only_come(
    additions, first, weights, seed
):
    wanted = shares(*weights)
    sizes, remembered = list(first), {}
    largest = max(max(part, default=1) for part in [first, *additions])
    assume(min(wanted.values()) * sum(first) >= largest)
    for part in [[], *additions]:
        sizes += part
        found = images(cat=sizes)
        places = by_fractions.assign(found, wanted, seed, remembered)
        off = deviations(found, places, wanted)
        assert max(map(abs, off.values())) <= largest + 1e-9
        remembered = dict(zip(found["image"], places, strict=True))
