"""What is wrong with chains: names that lead nowhere, prompts with strange gaps, circles."""

from collections import Counter
from collections.abc import Iterator, Mapping

from bot.config.reader import advice, join
from bot.config.sections import Config
from bot.domain.chains import (
    GIVEN,
    MOST_CANDIDATES,
    BestOfSettings,
    ChainSettings,
    RouterSettings,
    StepSettings,
)
from bot.domain.templates import NAME, Template

NAMED = "write small letters, digits, _ and -, beginning with a letter"


def problems(config: Config, models: tuple[str, ...], chains: tuple[str, ...]) -> Iterator[str]:
    """Yield one line per problem; the names are also those of tables that could not be read."""
    chosen = [("chat.chain", config.chat.chain)]
    for pattern, table in config.channels.items():
        chosen.append((f"{join('channels', pattern)}.chain", table.get("chain", "")))
    for key, name in chosen:
        if name and name not in chains:
            yield f"{key}: there is no chain {name!r}; add [chains.{name}]"
    targets = _targets(config, models, chains)
    for name, chain in config.chains.items():
        key = join("chains", name)
        if not NAME.fullmatch(name):
            yield f"{key}: is no name for a chain; {NAMED}"
        yield from _chain(key, chain)
        yield from _unknown(key, chain, models, targets)
        if chain.router and chain.router.by == "embeddings" and config.library.embedder == "none":
            yield f'{key}.router.by: "embeddings" needs vectors; set knowledge.embedder'
    yield from _circles(config.chains)


def _targets(
    config: Config, models: tuple[str, ...], chains: tuple[str, ...]
) -> Mapping[str, list[str]]:
    """Return what each name means to a router."""
    kinds: dict[str, list[str]] = {}
    named = (("chain", chains), ("persona", tuple(config.personas)), ("model", models))
    for kind, names in named:
        for name in names:
            kinds.setdefault(name, []).append(kind)
    return kinds


def _chain(key: str, chain: ChainSettings) -> Iterator[str]:
    parts = [name for name in ("steps", "router", "best_of") if getattr(chain, name)]
    if len(parts) != 1:
        held = " and ".join(parts) or "nothing"
        yield f"{key}: has {held}; a chain is one of steps, router or best_of"
    yield from _steps(f"{key}.steps", chain.steps)
    if chain.router:
        yield from _router(f"{key}.router", chain.router)
    if chain.best_of:
        yield from _best_of(f"{key}.best_of", chain.best_of)


def _unknown(
    key: str, chain: ChainSettings, models: tuple[str, ...], targets: Mapping[str, list[str]]
) -> Iterator[str]:
    known = ", ".join(models) or "none"
    for place, name in chain.models():
        if name and name not in models:
            yield f"{key}.{place}: there is no model {name!r}; known are {known}"
    for place, name in chain.targets():
        kinds = targets.get(name, [])
        if not kinds:
            hint = advice(name, sorted(targets))
            yield f"{key}.{place}: no chain, persona or model is called {name!r}; {hint}"
        elif len(kinds) > 1:
            yield f"{key}.{place}: {name!r} is a {' and a '.join(kinds)}; rename one of them"


# ---- sequences


def _steps(key: str, steps: tuple[StepSettings, ...]) -> Iterator[str]:
    yield from _doubles(key, "step", [step.name for step in steps])
    used, strange = set(), False
    for number, step in enumerate(steps):
        here, earlier = join(key, step.name), [before.name for before in steps[:number]]
        names, wrong = _gaps(step.prompt, earlier)
        yield from (f"{here}.prompt: {problem}" for problem in wrong)
        if step.max_output_tokens < 0:
            yield f"{here}.max_output_tokens: {step.max_output_tokens} is below 0; write 0"
        used |= {*names, *(earlier[-1:] if "previous" in names else ())}
        strange = strange or bool(wrong)
    for step in () if strange else steps[:-1]:  # with a gap put right, it may be used after all
        if step.name not in used:
            gap = f"{{{step.name}}}"
            yield f"{join(key, step.name)}: nobody uses this step; put {gap} into a later prompt"


def _gaps(prompt: str, earlier: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the names in a prompt, and what is wrong with it."""
    try:
        names = Template.read(prompt).names
    except ValueError as error:
        return (), [str(error)]
    known = (*GIVEN, *earlier)
    wrong = [f"{{{name}}} is unknown; {advice(name, known)}" for name in names if name not in known]
    if "previous" in names and not earlier:
        wrong.append("nothing comes before {previous}; use {question}")
    return names, wrong


def _doubles(key: str, noun: str, names: list[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{key}: {count} of them are called {name!r}; give each {noun} its own name"
        if not NAME.fullmatch(name):
            yield f"{key}: {name!r} is no name for a {noun}; {NAMED}"
        elif name in GIVEN:
            yield f"{key}: {name!r} means something else in prompts; rename that {noun}"


# ---- routers


def _router(key: str, router: RouterSettings) -> Iterator[str]:
    yield from _doubles(f"{key}.routes", "route", [route.name for route in router.routes])
    if not router.routes:
        yield f"{key}.routes: is empty; add [[{key}.routes]]"
    if not 0 <= router.min_score <= 1:
        yield f"{key}.min_score: {router.min_score:g} is not between 0 and 1"
    wanted = {"rules": "words", "embeddings": "examples", "model": "about"}[router.by]
    for route in router.routes:
        if not getattr(route, wanted):
            yield f"{key}.routes.{route.name}.{wanted}: is empty; by = {router.by!r} needs it"


def _circles(chains: Mapping[str, ChainSettings]) -> Iterator[str]:
    """Find routers that lead back to themselves: each circle is told once, at its first name."""
    told: set[str] = set()
    for name in chains:
        way = _way_back(name, chains)
        if way and not told & set(way):
            told |= set(way)
            key = join("chains", name)
            yield f"{key}.router: leads back to itself: {' → '.join((*way, name))}; change a route"


def _way_back(name: str, chains: Mapping[str, ChainSettings]) -> list[str]:
    """Return the chains on the way from a chain to itself; none when it does not come back."""
    ways, seen = [[name]], {name}
    while ways:
        way = ways.pop()
        here = chains.get(way[-1])
        for _, target in here.targets() if here else ():
            if target == name:
                return way
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return []


# ---- the best of several


def _best_of(key: str, best: BestOfSettings) -> Iterator[str]:
    if not 2 <= best.candidates <= MOST_CANDIDATES:
        yield f"{key}.candidates: {best.candidates} is not between 2 and {MOST_CANDIDATES}"
    if best.shortest < 0:
        yield f"{key}.shortest: {best.shortest} is below 0; write 0"
    if best.longest <= best.shortest:
        yield f"{key}.longest: {best.longest} is not above shortest, {best.shortest}"
