"""Customers and staff talk through the bot, on different platforms, while it is killed again and again.

    python -m tests.acceptance.proof.handover --cycles 20 --staff slack

One installed program serves three fake platforms. Customers of all three have asked for a person;
they and the staff, on one of the platforms, write all the while, also while the bot is dead. Each
cycle ends with SIGKILL at any moment from the first post after what was written. In the end the
staff presses Done, and each customer asks the bot, which must know what the staff has said.
"""

import asyncio
import itertools
import random
import re
import tempfile
from collections import Counter

from tests.acceptance.counting import PLACEHOLDER
from tests.acceptance.house import House
from tests.acceptance.proof.running import alone, quiet

ROOMS = 2  # customers on each platform
AT_ONCE = 6  # messages that are written before each kill, and as many while the bot is dead
WINDOW = 1.5  # seconds in which the kill comes
DRAIN = 30.0  # seconds without any progress after which the rest counts as lost
TOKEN = re.compile(r"#(up|down)/(\w+)/(\d+)/(\d+)\.")
FAULTS = ("lost", "doubled", "swapped", "crossed", "model_calls_meanwhile", "not_remembered")
SECTIONS = """
[budgets]
rate_per_minute = 0
"""


class Talk:
    """What was written each way, by customer, and what became of it."""

    def __init__(self, house, dice):
        self.house, self.dice = house, dice
        self.customers = [(name, room) for name in house.stages for room in range(ROOMS)]
        self.written = {"up": Counter(), "down": Counter()}
        self.requests = {}

    async def begin(self):
        """Let every customer be known, and ask for a person."""
        await self.house.start()
        for customer in self.customers:
            self.house.say(*customer, "hello")
            await self.house.told(*customer, "hello")
        for customer in self.customers:
            self.house.wants(*customer, f"#ask/{customer}.")
            self.requests[customer] = await self.house.asked(f"#ask/{customer}.")
        self.asked = len(self.house.model.calls)

    async def cycle(self):
        """Write, kill, write, start again."""
        self.write()
        await asyncio.sleep(self.dice.uniform(0.0, WINDOW))
        await self.house.kill()
        self.write()
        await self.house.start()

    def write(self):
        """Let customers and staff write, in any order."""
        for _ in range(AT_ONCE):
            customer, way = self.dice.choice(self.customers), self.dice.choice(("up", "down"))
            name, room = customer
            text = f"#{way}/{name}/{room}/{self.written[way][customer]}."
            self.written[way][customer] += 1
            if way == "up":
                self.house.say(*customer, text)
            else:
                self.house.staff.answer(text, self.requests[customer])

    def arrived(self):
        """Return what each side sees of the other: (way, customer, number) in order."""
        for customer in self.customers:
            shown = "\n".join(self.house.shown(*customer))
            yield from ((way, customer, found) for way, *found in TOKEN.findall(shown))
        owners = {request.id: customer for customer, request in self.requests.items()}
        for seen in self.house.staff.seen():
            owner = owners.get(seen.within)
            yield from ((way, owner, found) for way, *found in TOKEN.findall(seen.text))

    def texts(self):
        """Return all that anybody sees."""
        yield from (seen.text for seen in self.house.staff.seen())
        for customer in self.customers:
            yield from self.house.shown(*customer)

    async def settle(self):
        """Wait for what is still under way."""
        seen, last = -1, asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - last < DRAIN:
            count = sum(1 for _ in self.arrived())
            if count >= sum(self.written["up"].values()) + sum(self.written["down"].values()):
                return
            if count != seen:
                seen, last = count, asyncio.get_running_loop().time()
            await asyncio.sleep(0.1)

    async def end(self):
        """Press Done, let each customer ask the bot; returns who was answered without memory."""
        meanwhile, forgotten = len(self.house.model.calls) - self.asked, 0
        for customer, request in self.requests.items():
            self.house.staff.press(request)
            await self.house.told(*customer, "I answer here again.")
            before = len(self.house.model.calls)
            self.house.say(*customer, "What was said?")
            await self.house.until(lambda n=before: len(self.house.model.calls) > n)
            prompt = str(self.house.model.calls[-1].args["messages"])
            name, room = customer
            said = range(self.written["down"][customer])
            forgotten += any(f"#down/{name}/{room}/{number}." not in prompt for number in said)
        return {"model_calls_meanwhile": meanwhile, "not_remembered": forgotten}

    def count(self):
        """Compare what was written with what is seen."""
        numbers = {"up": {}, "down": {}}
        crossed = 0
        for way, customer, (name, room, number) in self.arrived():
            if customer != (name, int(room)):
                crossed += 1
            numbers[way].setdefault((name, int(room)), []).append(int(number))
        lost = doubled = swapped = 0
        for way, by_customer in self.written.items():
            for customer, written in by_customer.items():
                seen = numbers[way].get(customer, [])
                lost += written - len(set(seen))
                doubled += len(seen) - len(set(seen))
                once = list(dict.fromkeys(seen))
                swapped += sum(after < before for before, after in itertools.pairwise(once))
        return {
            "customers": len(self.customers),
            "to_the_staff": self.written["up"].total(),
            "to_customers": self.written["down"].total(),
            "lost": lost, "doubled": doubled, "swapped": swapped, "crossed": crossed,
            "placeholders": sum(text == PLACEHOLDER for text in self.texts()),
        }  # fmt: skip


async def run(staff="slack", cycles=10, seed=1, progress=quiet):
    """Talk through a bot that is killed so many times."""
    with tempfile.TemporaryDirectory() as folder:
        async with House(folder, staff, sections=SECTIONS) as house:
            talk = Talk(house, random.Random(f"{staff}{seed}"))
            await talk.begin()
            for done in range(cycles):
                await talk.cycle()
                progress(done + 1, cycles)
            await talk.settle()
            counted = talk.count()
            return {"kills": cycles, **counted, **await talk.end()}


if __name__ == "__main__":
    alone("A way to a person", run, FAULTS, staff="slack", cycles=10)
