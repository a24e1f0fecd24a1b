"""What `parley check` says of chains: one line for each mistake."""

import pytest

from bot.domain.chains import StepSettings

MODELS = '[chat]\nmodel = "small"\n[models.small]\nkind = "documents"\n[models.big]\nkind = "documents"\n'


def steps(*tables, name="c"):
    return MODELS + "".join(f"[[chains.{name}.steps]]\n{table}\n" for table in tables)


def step(name, prompt="", more=""):
    return f"name = '{name}'\n" + (f"prompt = '''{prompt}'''\n" if prompt else "") + more


FACTS = step("facts", "Facts of {question}")


def test_a_sequence_is_read_with_its_defaults(read):
    config = read(steps(FACTS, step("answer", "{facts}", "model = 'big'\n")))

    facts, answer = config.chains["c"].steps
    assert facts == StepSettings(name="facts", prompt="Facts of {question}")
    assert (answer.model, answer.max_output_tokens) == ("big", 0)


def test_a_place_may_have_a_chain_of_its_own(read):
    config = read(steps(step("one")) + "[channels.slack]\nchain = 'c'\n")

    assert config.channels == {"slack": {"chain": "c"}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (steps(step("facts", "{question}"), step("answer", "{question}")),
         "chains.c.steps.facts: nobody uses this step; put {facts} into a later prompt"),
        (steps(FACTS, step("answer")),
         "chains.c.steps.facts: nobody uses this step; put {facts} into a later prompt"),
        (steps(step("a", "{question} {b}"), step("b", "{a}")),
         ("chains.c.steps.a.prompt: {b} is unknown; known are "
          "question, history, documents, persona, previous")),
        (steps(FACTS, step("answer", "{fact}")),
         "chains.c.steps.answer.prompt: {fact} is unknown; did you mean facts?"),
        (steps(step("a", "{previous}")),
         "chains.c.steps.a.prompt: nothing comes before {previous}; use {question}"),
        (steps(step("a", "{question.text}")),
         ("chains.c.steps.a.prompt: {question.text} is no placeholder; "
          "write a name alone, or {{ for a brace")),
        (steps(step("a", "{question:>9}")),
         ("chains.c.steps.a.prompt: {question:>9} is no placeholder; "
          "write a name alone, or {{ for a brace")),
        (steps(step("a", "{ {question}")),
         "chains.c.steps.a.prompt: has a lone {; write {{ for a brace"),
        (steps(step("a", "x"), step("a", "{a}")),
         "chains.c.steps: 2 of them are called 'a'; give each step its own name"),
        (steps(step("question")),
         "chains.c.steps: 'question' means something else in prompts; rename that step"),
        (steps(step("The Facts")),
         ("chains.c.steps: 'The Facts' is no name for a step; "
          "write small letters, digits, _ and -, beginning with a letter")),
        (steps(step("a", more="model = 'huge'")),
         "chains.c.steps.a.model: there is no model 'huge'; known are small, big"),
        (steps(step("a", more="modell = 'big'")),
         "chains.c.steps.a.modell: unknown key; did you mean model?"),
        (steps(step("a", more="max_output_tokens = -1")),
         "chains.c.steps.a.max_output_tokens: -1 is below 0; write 0"),
        (MODELS + "[chains.c]\n",
         "chains.c: has nothing; a chain is one of steps, router or best_of"),
        (MODELS.replace("[models.small]", "chain = 'none'\n[models.small]"),
         "chat.chain: there is no chain 'none'; add [chains.none]"),
        (MODELS + "[channels.slack]\nchain = 'x'",
         "channels.slack.chain: there is no chain 'x'; add [chains.x]"),
        (steps(step("a"), name="Front"),
         ("chains.Front: is no name for a chain; "
          "write small letters, digits, _ and -, beginning with a letter")),
    ],
)  # fmt: skip
def test_a_mistake_in_a_sequence_is_one_line(problems, text, line):
    assert problems(text) == [line]


def test_the_step_right_before_counts_as_used_by_previous(read):
    assert read(steps(FACTS, step("draft", "{previous}"), step("answer", "{previous}")))


def test_a_chain_that_cannot_be_read_is_still_known_by_name(problems):
    lines = problems(MODELS + "[[chains.c.steps]]\nprompt = 'x'\n[channels.slack]\nchain = 'c'")

    assert lines == ["chains.c.steps.0.name: is missing; write it"]


# ---- routers

ROUTER = """[chains.front.router]
by = "{by}"
default = "{default}"
[[chains.front.router.routes]]
name = "fun"
to = "{to}"
{key} = {value}
"""


def router(by="rules", default="small", to="big", key="words", value='["joke"]', more=""):
    table = ROUTER.format(by=by, default=default, to=to, key=key, value=value)
    return MODELS + table + more


def test_a_router_is_read(read):
    (route,) = read(router()).chains["front"].router.routes

    assert (route.name, route.to, route.words) == ("fun", "big", ("joke",))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (router(to="bigg"),
         ("chains.front.router.routes.fun.to: no chain, persona or model is called 'bigg'; "
         "did you mean big?")),
        (router(default="nothing-of-that-kind"),
         ("chains.front.router.default: no chain, persona or model is called "
         "'nothing-of-that-kind'; known are big, front, small")),
        (router(more="[personas.big]\nsystem_prompt = 'x'\n"),
         "chains.front.router.routes.fun.to: 'big' is a persona and a model; rename one of them"),
        (router(by="model"),
         "chains.front.router.routes.fun.about: is empty; by = 'model' needs it"),
        (router(by="embeddings", key="examples"),
         'chains.front.router.by: "embeddings" needs vectors; set knowledge.embedder'),
        (router(to="front"),
         "chains.front.router: leads back to itself: front → front; change a route"),
        (router(to="back", more="[chains.back.router]\nby = 'rules'\ndefault = 'front'\n"
                "[[chains.back.router.routes]]\nname = 'a'\nto = 'small'\nwords = ['a']\n"),
         "chains.front.router: leads back to itself: front → back → front; change a route"),
        (router(by="dice"),
         "chains.front.router.by: is 'dice'; write 'rules', 'embeddings' or 'model'"),
        (router(more="worlds = ['x']\n"),
         "chains.front.router.routes.fun.worlds: unknown key; did you mean words?"),
        (router(more="[[chains.front.router.routes]]\nname = 'fun'\nto = 'big'\nwords = ['x']\n"),
         "chains.front.router.routes: 2 of them are called 'fun'; give each route its own name"),
        (router(more="[[chains.front.steps]]\nname = 'a'\n"),
         "chains.front: has steps and router; a chain is one of steps, router or best_of"),
        (MODELS + "[chains.front.router]\nby = 'rules'\ndefault = 'small'\n",
         "chains.front.router.routes: is empty; add [[chains.front.router.routes]]"),
        (MODELS + "[chains.c.best_of]\ncandidates = 1\n",
         "chains.c.best_of.candidates: 1 is not between 2 and 8"),
        (MODELS + "[chains.c.best_of]\nshortest = 10\nlongest = 10\n",
         "chains.c.best_of.longest: 10 is not above shortest, 10"),
        (MODELS + "[chains.c.best_of]\nmodels = ['small', 'huge']\n",
         "chains.c.best_of.models: there is no model 'huge'; known are small, big"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_router_or_a_choice_is_one_line(problems, text, line):
    assert problems(text) == [line]


def test_two_ways_to_one_place_are_no_circle(read):
    more = "".join(
        f"[chains.{name}.router]\nby = 'rules'\ndefault = '{to}'\n"
        f"[[chains.{name}.router.routes]]\nname = 'a'\nto = '{to}'\nwords = ['a']\n"
        for name, to in (("left", "end"), ("right", "end"), ("end", "small"))
    )

    assert read(router(to="left", default="right", more=more))
