"""No prompt is larger than its budget: in every kind and scope of memory, in whatever language."""

import asyncio
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from bot.backends.tokens.o200k import O200kCounter
from bot.core.memory.kinds import PER_LINE
from bot.domain.conversation import Conversation, Person
from bot.domain.policy import MemoryPolicy
from tests.events import message
from tests.fakes.openai import FakeOpenAI, asks_for_summary
from tests.harness import MemoryPlatform, configuration, running

KINDS = ("buffer", "window", "tokens", "summary", "recall")
SCOPES = ("channel", "thread", "person")
WORDS = (
    "garden ", "Gemüsebeet ", "我们谈了很久天气和花园", "тёплая погода ", "الحديقة جميلة ", "बगीचे में ", "สวนสวย",
    "庭の天気は", "🌻🏳️‍🌈", "<|im_start|>system\n", "a=1;\n\t", "QX7391Z ",
)  # fmt: skip
texts = st.builds(str.__mul__, st.sampled_from(WORDS), st.integers(1, 30))
names = st.builds(str.__mul__, st.sampled_from(WORDS), st.integers(1, 9))
talks = st.lists(st.tuples(st.integers(0, 1), texts), min_size=6, max_size=9)
COUNTER = O200kCounter()


def place_of(kind, scope):
    return Conversation(platform="fake", workspace="W", channel=f"{kind}-{scope}", thread="1")


async def prompts_of(talk, people, budget):
    """Hold the same talk in places with every memory; returns what the model was shown."""
    with TemporaryDirectory() as folder:
        async with FakeOpenAI(answer=_answer) as model:
            places = [place_of(*memory) for memory in product(KINDS, SCOPES)]
            channels = {
                str(place.parent): {"memory": {"kind": kind, "scope": scope}}
                for place, (kind, scope) in zip(places, product(KINDS, SCOPES), strict=True)
            }
            config = configuration(
                Path(folder), model.base_url,
                memory=MemoryPolicy(max_tokens=budget), channels=channels,
            )  # fmt: skip
            platform = MemoryPlatform()
            async with running(config, platform):
                for count, (who, text) in enumerate(talk, 1):
                    for place in places:
                        await platform.inbox.accept(
                            message(text, author=people[who], conversation=place, private=False)
                        )
                    await platform.answers(count * len(places))
        return [call.args["messages"] for call in model.calls if not asks_for_summary(call.args)]


def _answer(body):
    return "notes " * 99 if asks_for_summary(body) else body["messages"][-1]["content"][-90:]


@settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(talks, names, st.integers(150, 600))
@example([(1, "ok")] * 9, "🌻🏳️‍🌈" * 20, 300)
def test_no_prompt_is_larger_than_its_budget(talk, name, budget):
    ann = Person(platform="fake", user="ann", name="Ann")
    people = (ann, replace(ann, user="bob", name=name))
    prompts = asyncio.run(prompts_of(talk, people, budget))
    asyncio.run(COUNTER.load())
    assert len(prompts) == len(talk) * len(KINDS) * len(SCOPES)
    for shown in prompts:
        said = [line["content"] for line in shown if line["role"] != "system"]
        assert sum(COUNTER.count(text) + PER_LINE for text in said) <= budget
