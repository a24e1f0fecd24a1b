"""The long conversations are real, the same every time, and hold what was planted in them."""

from tests.evaluation.conversations import FACTS, conversations, every, planted, words


def test_the_hundred_longest_are_the_same_every_time():
    chosen = conversations()
    assert len(chosen) == 100
    assert chosen == conversations()
    lengths = [words(each) for each in chosen]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] >= 3_000
    assert conversations(3) == chosen[:3]


def test_two_people_talk_and_no_conversation_is_put_together_from_others():
    chosen = conversations()
    assert {len({who for who, _ in each}) for each in chosen} == {2}
    real = list(every().values())
    assert all(each in real for each in chosen)


def test_what_is_planted_stands_early_and_only_there():
    for n, conversation in enumerate(conversations()):
        lines, question, token = planted(conversation, n)
        assert [at for at, (_, text) in enumerate(lines) if token in text] == [2]
        assert token.casefold() not in question.casefold()
        assert [*lines[:2], *lines[3:]] == conversation
        assert lines[2][0] in {who for who, _ in conversation}


def test_no_token_is_in_any_conversation_or_in_another_fact():
    said = "\n".join(text for lines in every().values() for _, text in lines).casefold()
    facts = " ".join(fact + question for fact, question, _ in FACTS).casefold()
    for _, _, token in FACTS:
        assert token.casefold() not in said
        assert facts.count(token.casefold()) == 1


def test_every_fact_is_planted_somewhere():
    assert {planted(each, n)[2] for n, each in enumerate(conversations())} == {
        token for _, _, token in FACTS
    }
