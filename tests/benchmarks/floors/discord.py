"""The floor on Discord: discord.py and the openai SDK, one reply per message."""

import os

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from openai import AsyncOpenAI
from yarl import URL

Route.BASE = os.environ["PLATFORM_URL"]
DiscordWebSocket.DEFAULT_GATEWAY = URL(os.environ["GATEWAY_URL"])
model = AsyncOpenAI(base_url=os.environ["MODEL_URL"])
intents = discord.Intents.default()
intents.message_content = True
client = discord.Client(intents=intents)


@client.event
async def on_message(message: discord.Message) -> None:
    """Ask the model, reply with its whole answer."""
    if message.author == client.user:
        return
    stream = await model.chat.completions.create(
        model="fake-model",
        messages=[{"role": "user", "content": message.content}],
        stream=True,
    )
    text = ""
    async for chunk in stream:
        text += chunk.choices[0].delta.content or ""
    await message.channel.send(text)


if __name__ == "__main__":
    client.run(os.environ["DISCORD_BOT_TOKEN"])
