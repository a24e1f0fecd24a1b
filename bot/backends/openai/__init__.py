"""Any server that speaks OpenAI's chat completions; importing this package imports no SDK.

`settings` is plain and cheap. `model` imports the SDK (about 0.6 s of CPU), so the composition root
imports it only when a model of this kind is configured, best in a thread.
"""

from bot.backends.openai.deferring import defer_types

defer_types()  # before any module of this package can import the SDK
