"""Documents that are alike but for whom they are about: ``python -m rag.evals.benchmarks.similar``.

Twenty annual reports of invented companies. Only the title names the company; what is asked for
stands some passages further down, between pages that are the same in all of them. Each question is
about one of them, in English or Vietnamese.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rag.chatbot import Chatbot
from rag.index.index import Index
from rag.settings import Settings

_NAMES = (
    "Acme", "Borealis", "Cobalt", "Dynamo", "Everest", "Fjord", "Granite", "Harbor", "Iris",
    "Juniper", "Kestrel", "Lantern", "Meridian", "Nimbus", "Orchard", "Pelican", "Quartz",
    "Raven", "Saffron", "Tundra",
)  # fmt: skip
_ROUTINE = (
    "The board met four times and discussed the strategy at length. The auditors found nothing to "
    "object to. Suppliers were paid within thirty days throughout the year. "
) * 6
_DIRECTORS = ("Ada", "Ben", "Cleo", "Dan", "Eva")


def report(number: int) -> str:
    """The report of one company."""
    return (
        f"# {_NAMES[number]} Holdings – Annual report 2023\n\n{_ROUTINE}\n\n## Results\n\n"
        f"Revenue grew by {number + 3}% to ${number + 5}.2 million. "
        f"Net profit was ${610 + number},000.\n\n{_ROUTINE}\n\n## People\n\n"
        f"At the end of the year {80 + number} people worked for the company. "
        f"The managing director is {_director(number)}.\n\n{_ROUTINE}\n"
    )


def questions(number: int) -> dict[str, str]:
    """What is asked about one company, and what the right sentence holds."""
    name = _NAMES[number]
    return {
        f"What was the net profit of {name} Holdings?": f"${610 + number},000",
        f"How much revenue did {name} have in 2023?": f"${number + 5}.2 million",
        f"How many people work for {name}?": f"{80 + number} people",
        f"Who is the managing director of {name}?": _director(number),
        f"Lợi nhuận ròng của {name} Holdings là bao nhiêu?": f"${610 + number},000",
    }


def _director(number: int) -> str:
    return f"{_DIRECTORS[number % len(_DIRECTORS)]} {_NAMES[number]}son"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--most", type=int, default=6, help="among how many passages")
    given = parser.parse_args()
    among = quoted = asked = 0
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder) / "documents"
        documents.mkdir()
        for number in range(len(_NAMES)):
            (documents / f"report-{number}.md").write_text(report(number), "utf-8")
        index = Index.create(Path(folder) / "index", Settings())
        index.add(documents)
        bot = Chatbot(index, "extractive")
        for number in range(len(_NAMES)):
            for question, told in questions(number).items():
                asked += 1
                among += any(told in hit.passage.text for hit in index.search(question, given.most))
                sentences = bot.ask(question).sentences
                quoted += bool(sentences) and told in sentences[0].text
    print(f"{asked} questions on {len(_NAMES)} documents")
    print(f"the right passage among the first {given.most}: {among / asked:.0%}")
    print(f"the first quote answers: {quoted / asked:.0%}")


if __name__ == "__main__":
    main()
