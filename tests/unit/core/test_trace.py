"""How an answer comes about is noted stage by stage, and anew for an edited question."""

from bot.core.trace import Trace


class Watch:
    """A clock that is set by hand."""

    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def test_notes_are_kept_by_name_and_lists_grow():
    trace = Trace()

    trace.note("memory", {"kind": "tokens", "lines": 1})
    trace.note("memory", {"kind": "tokens", "lines": 4})
    trace.add("documents", {"id": 1})
    trace.add("documents", {"id": 2})

    assert trace.notes == {
        "memory": {"kind": "tokens", "lines": 4}, "documents": [{"id": 1}, {"id": 2}],
    }  # fmt: skip


def test_an_edited_question_begins_anew_but_the_person_waited_all_along():
    watch = Watch()
    trace = Trace(watch)
    trace.note("memory", {})
    watch.time += 1.5
    trace.seen()

    trace.begin()
    watch.time += 2

    assert trace.notes == {}
    assert trace.times == {"first_s": 1.5, "total_s": 3.5}


def test_what_nobody_has_seen_yet_has_no_first_time():
    assert set(Trace().times) == {"total_s"}
