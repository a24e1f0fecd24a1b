"""Texts become the numbers that the usual library gives them."""

import hashlib
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backends.embeddings import wordpiece
from bot.backends.embeddings.wordpiece import MOST_KNOWN, SHA256, UNKNOWN, VOCABULARY, WordPiece
from bot.domain.errors import ConfigError

# What tokenizers 0.23.3 says with the tokenizer.json of all-MiniLM-L6-v2, without its two marks. It
# said the same as ours for 84,000 messages, documents and sources, and for every character that
# Unicode knew when it was written.
PUBLISHED = [
    ('', []),
    ('Where can I park my car?', [2073, 2064, 1045, 2380, 2026, 2482, 1029]),
    ('Can I return a sale dress?', [2064, 1045, 2709, 1037, 5096, 4377, 1029]),
    ('  tabs\tand\nlines\r\n ', [21628, 2015, 1998, 3210]),
    ('İstanbul, ΟΔΟΣ Σας, ẞtraße, Ærø', [9960, 1010, 1169, 29722, 29730, 29733, 1173, 14608, 19579, 1010, 1096, 6494, 17499, 1010, 1097, 2099, 16415]),
    ('naïve café résumé', [15743, 7668, 13746]),
    ("don't re-enter x_y=3.14e-5; f(x)->y", [2123, 1005, 1056, 2128, 1011, 4607, 1060, 1035, 1061, 1027, 1017, 1012, 2403, 2063, 1011, 1019, 1025, 1042, 1006, 1060, 1007, 1011, 1028, 1061]),
    ('日本語テキスト 漢字', [1864, 1876, 1950, 1713, 30227, 30233, 30240, 1904, 100]),
    ('한국어 문장', [1469, 30006, 30021, 29991, 30014, 30020, 29999, 30008, 1459, 30014, 30021, 30000, 30006, 30025]),
    ('Привет, мир!', [1194, 16856, 10325, 25529, 15290, 22919, 1010, 1191, 10325, 16856, 999]),
    ('مرحبا بالعالم', [1295, 17149, 29820, 29816, 25573, 1271, 25573, 23673, 29830, 25573, 23673, 22192]),
    ('\u0939\u093f\u0928\u094d\u0926\u0940 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22', [1339, 29877, 29863, 29861, 29878, 100]),
    ('\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f44b\U0001f3fd \U0001f1e9\U0001f1ea ok', [100, 100, 100, 7929]),
    ('zero\u200bwidth\xadsoft\x00nul\ufffdbad\ue000private', [5717, 9148, 11927, 7898, 15794, 11231, 20850, 4215, 18098, 21466]),
    ('\u2028line\xa0space\u3000wide', [2240, 2686, 2898]),
    ('“quotes” – dash… €5 ±2°', [1523, 16614, 1524, 1516, 11454, 1529, 1574, 2629, 1081, 2475, 7737]),
    ("a" * 100, [13360, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 11057, 2050]),
    ("a" * 101, [100]),
    ('unaffable antidisestablishmentarianism Pneumonoultramicroscopicsilicovolcanoconiosis', [14477, 20961, 3468, 3424, 10521, 4355, 7875, 13602, 3672, 12199, 2964, 1052, 2638, 2819, 17175, 11314, 6444, 2594, 7352, 26461, 27572, 11261, 6767, 15472, 6761, 8663, 10735, 2483]),
    ('𫠠𫤠豈⾀0', [100, 100, 100, 100]),
    ('RX-78-2 SKU:A1/B2 https://example.com/?q=1#x', [1054, 2595, 1011, 6275, 1011, 1016, 15315, 2226, 1024, 17350, 1013, 1038, 2475, 16770, 1024, 1013, 1013, 2742, 1012, 4012, 1013, 1029, 1053, 1027, 1015, 1001, 1060]),
    ('fi ﬁ ½ ① Ⅷ ｆｕｌｌ', [10882, 1984, 1092, 100, 100, 100]),
    ('e\u0301\u0327 A\u030a', [1041, 1037]),
    ('\U000e0041tag \x85nel \x1cfs', [6415, 11265, 2140, 1042, 2015]),
    ('``code`` $x^2$ |a|~b', [1036, 1036, 3642, 1036, 1036, 1002, 1060, 1034, 1016, 1002, 1064, 1037, 1064, 1066, 1038]),
]  # fmt: skip


@pytest.fixture(scope="module")
def words() -> WordPiece:
    return WordPiece.read()


@pytest.mark.parametrize(("text", "ids"), PUBLISHED, ids=range(len(PUBLISHED)))
def test_a_text_has_the_numbers_of_the_usual_library(words, text, ids):
    assert words.ids(text) == ids


@pytest.mark.parametrize("mark", ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"])
def test_what_people_write_never_becomes_a_mark_of_the_model(words, mark):
    assert not set(words.ids(f"hello {mark} world")) & {0, UNKNOWN, 101, 102, 103}


@given(st.text(max_size=80))
def test_no_text_is_too_odd_and_each_has_the_same_numbers_every_time(words, text):
    ids = words.ids(text)
    assert ids == words.ids(text)
    assert all(0 <= number < 30_522 for number in ids)


def test_lone_surrogates_are_passed_over(words):
    assert words.ids("park\ud83d ing \udc00") == words.ids("park ing")


def test_words_that_were_met_are_not_kept_without_end(words):
    words.ids(" ".join(f"w{number}" for number in range(MOST_KNOWN + 100)))
    assert len(words._known) <= MOST_KNOWN
    assert words.ids("hello world") == [7592, 2088]


def test_the_vocabulary_is_the_published_one():
    assert hashlib.sha256(lzma.decompress(VOCABULARY.read_bytes())).hexdigest() == SHA256


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"not packed", "cannot be read"),
        (lzma.compress(b"some\nother\nlist\n"), "is damaged"),
    ],
)
def test_a_vocabulary_that_is_not_ours_is_one_sentence(tmp_path, monkeypatch, content, said):
    path = tmp_path / "vocab.txt.xz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(wordpiece, "VOCABULARY", path)

    with pytest.raises(ConfigError, match=f"^vocab.txt.xz: {said}; install the package again$"):
        WordPiece.read()
