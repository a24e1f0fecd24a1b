"""The evaluation of memories, over a few conversations."""

from tests.evaluation import memory


async def test_a_fact_reaches_the_end_by_a_summary_and_not_without(monkeypatch):
    monkeypatch.setattr(memory, "SUMMARY_S", 0.02)
    summary = await memory.measured("summary", 2, 30)
    newest = await memory.measured("tokens", 2, 30)

    assert (summary.reached, newest.reached) == (2, 0)
    assert summary.over == newest.over == 0
    assert summary.calls > 0 == newest.calls


async def test_a_prompt_that_is_too_large_is_found():
    found = memory.Found()
    lines = [{"content": "system"}, {"content": "word " * memory.BUDGET}]
    await memory.judge([{"messages": lines}], found)
    assert (found.over, found.prompts) == (1, 1)
