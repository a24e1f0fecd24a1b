"""The floor on Telegram: python-telegram-bot and the openai SDK, one reply per message."""

import os

from openai import AsyncOpenAI
from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

model = AsyncOpenAI(base_url=os.environ["MODEL_URL"])


async def answer(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Ask the model, reply with its whole answer."""
    stream = await model.chat.completions.create(
        model="fake-model",
        messages=[{"role": "user", "content": update.message.text}],
        stream=True,
    )
    text = ""
    async for chunk in stream:
        text += chunk.choices[0].delta.content or ""
    await update.message.reply_text(text)


if __name__ == "__main__":
    builder = Application.builder().token(os.environ["TELEGRAM_BOT_TOKEN"])
    builder = builder.base_url(os.environ["PLATFORM_URL"]).concurrent_updates(True)
    application = builder.build()
    application.add_handler(MessageHandler(filters.TEXT, answer))
    application.run_polling()
