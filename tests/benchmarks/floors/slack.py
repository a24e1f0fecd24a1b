"""The floor on Slack: Bolt in socket mode and the openai SDK, one reply per message."""

import asyncio
import os

from openai import AsyncOpenAI
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

model = AsyncOpenAI(base_url=os.environ["MODEL_URL"])
web = AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["PLATFORM_URL"])
app = AsyncApp(client=web)


@app.event("message")
async def answer(event, say) -> None:
    """Ask the model, reply with its whole answer."""
    stream = await model.chat.completions.create(
        model="fake-model",
        messages=[{"role": "user", "content": event["text"]}],
        stream=True,
    )
    text = ""
    async for chunk in stream:
        text += chunk.choices[0].delta.content or ""
    await say(text)


async def main() -> None:
    """Listen until the process is ended."""
    await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start_async()


if __name__ == "__main__":
    asyncio.run(main())
