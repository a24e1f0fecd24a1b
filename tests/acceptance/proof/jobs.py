"""Runs proofs in processes of their own, so that none can disturb another."""

import asyncio
import importlib
import inspect
import multiprocessing
import queue
import time
import traceback
from dataclasses import dataclass

SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Verdict:
    """What one proof has shown."""

    numbers: dict  # by column: name and number
    broken: list[str]  # in words
    seconds: float


def work(module, arguments, column, mail):
    """Run one job in a process of its own; everything it has to say goes into `mail`."""
    try:
        proof = importlib.import_module(f"tests.acceptance.proof.{module}")
        numbers = proof.run(
            **arguments, progress=lambda done, total: mail.put(("at", column, done, total))
        )
        if inspect.isawaitable(numbers):
            numbers = asyncio.run(numbers)
        names = getattr(proof, "FAULTS", ("violations",))
        mail.put(("done", column, numbers, [n for n in names if numbers[n]]))
    except BaseException as error:  # noqa: BLE001 - whatever ends a proof, it proves nothing
        traceback.print_exc()
        mail.put(("done", column, {}, [f"did not end: {error!r}"]))


def prove(proof, options, bar):
    """Run all jobs of a proof."""
    began, mail, found, broken = time.monotonic(), SPAWN.Queue(), {}, []
    processes, tasks = {}, {}
    for column, arguments in proof.jobs(options.quick).items():
        named = (proof.module, {**arguments, "seed": options.seed}, column, mail)
        processes[column] = SPAWN.Process(target=work, args=named)
        tasks[column] = bar.add_task(f"{proof.module} {column}".removesuffix(" number"), total=None)
        processes[column].start()
    while len(found) < len(processes):
        try:
            kind, column, *rest = mail.get(timeout=1)
        except queue.Empty:
            column = next((c for c in processes if c not in found and not alive(processes[c])), "")
            kind, rest = "done" if column else "", [{}, ["its process died"]]
        if kind == "at":
            bar.update(tasks[column], completed=rest[0], total=rest[1])
        elif kind == "done" and column not in found:
            found[column], names = rest
            broken += [f"{column}: {name}" for name in names]
            bar.update(tasks[column], completed=1, total=1)
    for process in processes.values():
        process.join()
    columns = {column: found[column] for column in processes}
    return Verdict(columns, broken, round(time.monotonic() - began, 1))


def alive(process):
    """Whether a process runs, or its last words may still be on their way."""
    return process.exitcode in (None, 0)
