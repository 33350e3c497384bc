"""Learning a vector for every piece, so that bags of pieces that belong together lie together.

The loss of a batch of pairs is the symmetric InfoNCE (van den Oord et al. 2018; the other pairs of
the batch are the wrong answers) of the cosines times ``_SCALE``. English texts and their
translations also learn the teacher's vectors through a linear map, and its similarities among the
texts of a batch (relational distillation, Park et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batches import Group
from .teacher import Taught, taught_bags
from .texts import Bags, Texts

# What similarities are multiplied with before they compete.
_SCALE = 20.0
_TEACHER_SCALE = 12.0
# Frequent pieces begin short: a / (a + share), Arora et al. 2017.
_SMOOTHING = 1e-3
_MAP_WEIGHT = 1.0


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        steps: How many batches.
        batch: Pairs in a batch.
        rate: The learning rate of Adam at the beginning; it falls to nothing, linearly.
        taught: The share of batches that learn from the teacher.
        dimension: The length of a vector.
        seed: Where chance begins.
    """

    steps: int = 8000
    batch: int = 2048
    rate: float = 5e-3
    taught: float = 0.25
    dimension: int = 384
    seed: int = 1


def learn(
    size: int,
    texts: Texts,
    groups: list[Group],
    taught: list[Taught],
    teacher: NDArray[np.float16],
    schedule: Schedule,
    report: Callable[[int, dict[str, float], Any], None],
) -> NDArray[np.float32]:
    """Learn the vectors of all pieces.

    Args:
        size: How many pieces there are.
        texts: The texts of all groups, as pieces.
        groups: What to draw batches from.
        taught: The texts of the teacher, for each language.
        teacher: The teacher's vectors of these, shape (number of texts, its dimension).
        schedule: How long and how fast.
        report: Called now and then with the step, the mean losses since, and the vectors.

    Returns:
        Vectors, shape (size, schedule.dimension); their lengths are the weights of the pieces.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(schedule.seed)
    random = np.random.default_rng(schedule.seed)
    shares = texts.counts(size) / max(1, texts.counts(size).sum())
    start = torch.randn(size, schedule.dimension) / schedule.dimension**0.5
    start *= torch.from_numpy(_SMOOTHING / (_SMOOTHING + shares)).float()[:, None]
    vectors = torch.nn.Parameter(start.to(device))
    to_teacher = torch.nn.Linear(schedule.dimension, teacher.shape[1], bias=False).to(device)
    parameters = [vectors, *to_teacher.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=schedule.rate, fused=True)
    falling = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 100) * (1 - step / schedule.steps)
    )
    from_teacher = [schedule.taught * one.share for one in taught]
    kinds = np.array([*from_teacher, *(group.share for group in groups)])
    kinds /= kinds.sum()

    def embedded(bags: Bags) -> Any:
        pieces = torch.from_numpy(bags.pieces).to(device)
        offsets = torch.from_numpy(bags.offsets).to(device)
        summed = torch.nn.functional.embedding_bag(pieces, vectors, offsets, mode="sum")
        return torch.nn.functional.normalize(summed, dim=1)

    losses: dict[str, list[float]] = {}
    for step in range(schedule.steps):
        kind = int(random.choice(len(kinds), p=kinds))
        if kind < len(taught):
            name = f"teacher {taught[kind].language}"
            drawn = random.integers(len(taught[kind].known), size=schedule.batch)
            one, other = map(embedded, taught_bags(taught[kind], drawn, texts, random))
            known = teacher[taught[kind].known[drawn]]
            wanted = torch.from_numpy(known.astype(np.float32)).to(device)
            loss = _taught_loss(one, other, wanted, to_teacher)
        else:
            group = groups[kind - len(taught)]
            name = f"{group.name} {group.language}"
            one, other = map(embedded, group.draw(schedule.batch, random))
            loss = _contrast(one, other)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        falling.step()
        losses.setdefault(name, []).append(float(loss.detach()))
        if (step + 1) % 500 == 0 or step + 1 == schedule.steps:
            means = {name: float(np.mean(values)) for name, values in sorted(losses.items())}
            report(step + 1, means, vectors.detach().cpu().numpy())
            losses = {}
    return np.asarray(vectors.detach().cpu().numpy())


def _contrast(one: Any, other: Any) -> Any:
    import torch

    scores = one @ other.T * _SCALE
    right = torch.arange(len(one), device=one.device)
    entropy = torch.nn.functional.cross_entropy
    return (entropy(scores, right) + entropy(scores.T, right)) / 2


def _taught_loss(one: Any, other: Any, wanted: Any, to_teacher: Any) -> Any:
    """How far texts and their translations are from the teacher's vectors and similarities."""
    import torch

    goal = torch.softmax(wanted @ wanted.T * _TEACHER_SCALE, dim=1)
    relations = sum(
        torch.nn.functional.kl_div(
            torch.log_softmax(a @ b.T * _TEACHER_SCALE, dim=1), goal, reduction="batchmean"
        )
        for a, b in ((one, one), (other, one), (other, other))
    )
    mapped = sum(
        1 - (torch.nn.functional.normalize(to_teacher(side), dim=1) * wanted).sum(1).mean()
        for side in (one, other)
    )
    return relations + _MAP_WEIGHT * mapped
