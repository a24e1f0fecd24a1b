"""The measurement itself, and the one promise that needs nothing but what the tests have."""

from tests.evaluation.guard import (
    MESSAGES,
    Offline,
    Row,
    Sentence,
    measured_chat,
    measured_toxicity,
    sentences,
)


def test_at_most_one_in_a_hundred_harmless_messages_is_flagged():
    (row,) = measured_chat(Offline())

    assert MESSAGES == 4_000
    assert row.value <= 1


def test_recall_and_precision_are_counted_for_each_language():
    class Guess:
        name = "guess"

        def toxic(self, texts):
            return ["bad" in text for text in texts]

    chosen = [
        Sentence("1", "en", "toxic", "insult", "bad"),
        Sentence("2", "en", "toxic", "insult", "awful"),
        Sentence("3", "en", "benign", "idiom", "not bad"),
        Sentence("4", "de", "toxic", "insult", "bad"),
    ]

    assert [(row.figure, round(row.value)) for row in measured_toxicity(Guess(), chosen)] == [
        ("toxicity recall, all, 3", 67), ("toxicity precision, all, 4", 67),
        ("toxicity recall, de, 1", 100), ("toxicity precision, de, 1", 100),
        ("toxicity recall, en, 2", 50), ("toxicity precision, en, 3", 50),
    ]  # fmt: skip


def test_what_cannot_be_measured_says_why():
    (row,) = measured_toxicity(Offline(), [])

    assert row == Row("offline", "toxicity", None, note="sentences.tsv is not there")
    assert row.shown() == "—"


def test_sentences_are_read_as_they_are_written(tmp_path):
    file = tmp_path / "sentences.tsv"
    file.write_text('id\tlang\tlabel\tkind\ttext\n# note\n7\tfr\tbenign\tidiom\tIl dit "non"\n')

    assert sentences(file) == [Sentence("7", "fr", "benign", "idiom", 'Il dit "non"')]
