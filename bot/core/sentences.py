"""Every sentence that the bot says by itself, in one place."""

STRANGER = (
    "I do not know you yet. Ask the person who runs me to add `{person}` "
    "to `access.allow` in my configuration."
)
NOT_HERE = "You may not use me here. Ask the person who runs me to allow this place or you."
NOT_YOURS = "Only {rank}s may do that."
MODEL_DOWN = (
    "I cannot reach my language model right now. Your message is kept: "
    "send `retry` as a command in a minute. (Reference {reference})"
)
MODEL_REFUSED = (
    "My language model is not set up correctly, so I cannot answer. "
    "Please tell the person who runs me. (Reference {reference})"
)
TOO_LONG = "This conversation has grown too long for my model. Start a new one with `reset`."
GAVE_UP = "I could not finish the answer to this message. Please ask again. (Reference {reference})"
BUSY = (
    "I have more messages from here waiting than I can keep, so I did not take this one. "
    "Please write again when I have caught up."
)
STALE = (
    "I was away and see your message only now, so I leave it unanswered. "
    "If you still need an answer, please ask again."
)
EMPTY = "My model gave an empty answer. Please ask again, perhaps in other words."
STOPPED = "*Stopped.*"
INTERRUPTED = "*The answer breaks off here: the connection to my model was lost.*"
LENGTH = "*The answer breaks off here: it reached the longest length that is set for me.*"
FILTERED = "*The answer breaks off here: the model's own filter stopped it.*"
CUT_NOTE = "*Your message is longer than I can take in: I read its beginning and its end.*\n\n"
CUT_MARK = "\n[… {count} characters left out here …]\n"

ENDINGS = {
    "stopped": STOPPED,
    "interrupted": INTERRUPTED,
    "length": LENGTH,
    "filtered": FILTERED,
}
