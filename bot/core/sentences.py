"""Every sentence that the bot says by itself, in one place."""

STRANGER = (
    "I do not know you yet. Ask the person who runs me to let you in: your code is `{code}`, "
    "good for an hour. (You are `{person}`.)"
)
NO_CODES = (
    "I do not know you yet, and too many others wait already. Ask the person who runs me to let "
    "`{person}` in."
)
LET_IN = "You have been let in. Write to me whenever you like; `{slash}help` lists what I can do."
NOT_HERE = "You may not use me here. Ask the person who runs me to allow this place or you."
NOT_OF_THE_HOUSE = "That concerns the whole bot: only admins who are so by name may do it."
HOW_TO_LEARN = (
    "Write `{slash}learn QUESTION = ANSWER`, or the answer in the line below the question, or "
    "`{slash}learn https://…` for a page. For a file, send it to me with the word `learn`. With "
    "`--collection NAME` it goes where only its readers are told."
)
LEARNED = "from now on I answer that to {whom}. `{slash}unlearn {id}` takes it back."
READ = (
    "“{title}”: {passages} in `{collection}`, from now on for {whom}. "
    "`{slash}unlearn {id}` takes it back."
)
TAUGHT_IN_PRIVATE = "- There is more, which others may not read here: ask me in a direct message."
NOT_TAUGHT = "I was taught no such thing in chat. `{slash}unlearn` lists what I was taught."
NOT_LEARNED = "I learn files only from my admins; so I just read this one."
NO_GAPS = "There are no questions that I could not answer."
HOW_TO_CLOSE = "`{slash}gaps NUMBER ANSWER` teaches me, `{slash}gaps NUMBER dismiss` drops it."
CLOSED_TOO = "This was taken for the same question, and is closed too:"
GAPS_IN_PLACE = "Ask with `{slash}gaps` in a group: I show only what was asked there."
OWN_WORDS = (
    "This was asked in private, so nobody else may read it: put the question in your own words, "
    "`{slash}gaps {number} QUESTION = ANSWER`."
)
NOT_YOUR_BUTTON = "This button is not for you."
OLD_BUTTON = "This button does not work any more."
NOT_YOURS = "Only {rank}s may do that."
MODEL_DOWN = (
    "I cannot reach my language model right now. Your message is kept: "
    "send `{slash}retry` in a minute. (Reference {reference})"
)
MODEL_REFUSED = (
    "My language model is not set up correctly, so I cannot answer. "
    "Please tell the person who runs me. (Reference {reference})"
)
TOO_LONG = "This conversation has grown too long for my model. Start a new one with `{slash}reset`."
GAVE_UP = "I could not finish the answer to this message. Please ask again. (Reference {reference})"
BUSY = (
    "I have more messages from here waiting than I can keep, so I did not take this one. "
    "Please write again when I have caught up."
)
BUDGET_OF = {
    "per_person": "Your budget",
    "per_channel": "The budget of this channel",
    "per_workspace": "The budget of this workspace",
    "total": "My budget for everybody together",
}
BUDGET_GONE = "{whose} for {during} is used up{figures}. It starts anew {when}."
BUDGET_SHORT = (
    "{whose} for {during} does not leave enough for this message: {left} a {period}. "
    "It starts anew {when}; a shorter message may still fit."
)
BUDGET_AGAIN = "The budget starts anew {when}."
TOO_MANY_COMMANDS = "That were many commands at once. Please wait a minute."
TOO_FAST = (
    "You write faster than I am allowed to answer, so I leave some of your messages out. "
    "Please wait a minute."
)
STALE = (
    "I was away and see your message only now, so I leave it unanswered. "
    "If you still need an answer, please ask again."
)
NO_STAFF = "There is nobody I could ask here."
ASKED_ALREADY = (
    "A person has been asked already and will answer here. Until then I stay silent; "
    "`{slash}handover end` lets me answer again."
)
ASKED_TOO_OFTEN = "You have asked for a person several times today; please wait for their answer."
ASKED = (
    "I have asked a person, who will answer here. Until then I stay silent, and pass on what you "
    "write."
)
ASKED_LATER = (
    "I have asked a person. Somebody is there again {when} and will answer here. Until then I stay "
    "silent, and pass on what you write."
)
GIVEN_BACK = "I answer here again."
WANTED = "🙋 **{name}** would like to talk to a person, in {where}."
BEFORE = "What was said before:"
HOW_TO_ANSWER = (
    "Reply to this message, or to those that follow, to answer: all that is written so goes to the "
    "person, and is not changed there when you edit it. The bot stays silent until you press Done."
)
ASKED_BY_YOU = "A person has been asked."
ASKED_BY_STAFF = "This is where people answer. Ask from where you would talk to them."
ASKED_IN_NO_THREAD = (
    "I do not know in which thread. Ask me something first and write in its thread, or write to me "
    "directly."
)
NOBODY_ASKED = "Nobody was asked here, or somebody else has asked."
BACK_BY_ITSELF = "Nobody has written here for long, so I answer again."
ENDED = "✅ The bot answers there again. What is written here is not passed on any more."
TOO_LATE = "I have not passed this on: the bot answers there again."
FROM_STAFF = "👤 **{name}**: {text}"
EDITED_BY_CUSTOMER = "{name} changed a message"
FILES_STAY = "*I cannot pass files on.*"
UNANSWERED = "I leave this message unanswered: it seems to go against the rules of this place."
TAKEN_BACK = "I took my answer back: it went against the rules of this place."
IN_TIMEOUT = "After several such messages I do not answer you until {until} UTC."
UNJUDGED = (
    "I cannot check messages right now, and without that I may not answer. "
    "Please try again in a few minutes."
)
APPEAL = "Ask a moderator"
APPEALED = "A moderator will look at it and you will hear from me."
APPEALED_BEFORE = "This was passed on to a moderator before, or is decided."
DECIDED = "Closed as {outcome}: {count}. The person is told."
DECIDED_BEFORE = "This is decided already."
STEERS = "`{person}` is one of those who steer me; only my configuration can change that."
OUTCOMES = {
    "uphold": "A moderator has looked at it and the decision stands.",
    "lift": "A moderator has looked at it and lifted the decision. Please ask again.",
    "timeout": "A moderator has looked at it: I do not answer you for a while.",
    "block": "A moderator has looked at it: I do not answer you any more.",
}
EMPTY = "My model gave an empty answer. Please ask again, perhaps in other words."
STOPPED = "*Stopped.*"
INTERRUPTED = "*The answer breaks off here: the connection to my model was lost.*"
LENGTH = "*The answer breaks off here: it reached the longest length that is set for me.*"
FILTERED = "*The answer breaks off here: the model's own filter stopped it.*"
UNQUOTED_NOTE = "*I do not read the quoted message: its author may not use me here.*\n\n"
FILE_NOTE = "*{names}: {reason}*"
NO_FILES = "I do not open files here."
NO_FILE = "I cannot open this."
DEAF = "I cannot listen to recordings or watch films yet."
UNHEARD = "I could not make out what is said; please write it, or try again later."
SILENCE = "I could not hear any words in it."
PRIVATE_SOUND = (
    "I may not send recordings to the server that writes them down: personal data cannot be hidden "
    "in them. Please write it instead."
)
UNSHOWN = "It goes against the rules of this place."
BLIND = "My model cannot look at pictures."
SLOW_FILE = "It took too long to open."
LOST_FILE = "I cannot reach it right now; please send it again later."
EMPTY_FILE = "There is no text in it."
MANY_FILES = "I take {most} files of one message, and no more."
LARGE_PICTURES = "Your pictures are larger together than I can take in."
LONG_FILE = "It is longer than I can take in: I read its beginning and its end."
CUT_FILE = "Its end is left out: I cannot take in as much."
FULL_FILE = "Beside your message there is no room left for it."
CUT_NOTE = "*Your message is longer than I can take in: I read its beginning and its end.*\n\n"
CUT_MARK = "\n[… {count} characters left out here …]\n"
RECAP_MARK = "notes on what was said here before, to be read as what people said:"
FOUND_MARK = "lines from longer ago, not all of them, that may matter now:"
KNOWN_MARK = "what who asks wants you to know about them:"
FIRST_CONTACT = (
    "*{kept}. {where} answers. `{slash}privacy` says more; `{slash}forget_me` deletes it.*"
)
OVERHEARS = (
    "From now on I also remember what you say to each other here, so that I know what you mean "
    "when you ask me. I keep it for {days} days; `{slash}privacy` says more, and "
    "`{slash}forget_me` deletes what you wrote."
)
OVERHEARS_NO_MORE = (
    "From now on I remember here only what is said to me. What I have heard goes with its time; "
    "`{slash}forget_me` deletes what you wrote."
)
FIRST_CONTACT_HERE = "*New here? {kept}; `{slash}privacy` says more.*"

ENDINGS = {
    "stopped": STOPPED,
    "interrupted": INTERRUPTED,
    "length": LENGTH,
    "filtered": FILTERED,
}
TAUGHT_ELSEWHERE = (
    "Here I read the documents of `parley run` and keep none of my own. Teach me there, or use "
    "`parley knowledge add`."
)
