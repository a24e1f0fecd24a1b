"""Everything that may go wrong, in one tree; the docstring is the message's first words.

ParleyError
├── ConfigError          the operator must change something; exit code 2
├── StoreError           the store cannot be used
│   └── StoreBusy        …for the moment: do not acknowledge, try again
├── Fenced               another worker owns this turn now
├── ModelError           no answer from this model
│   ├── ModelRefused     …and none from trying again: key, name or request are wrong
│   └── ContextTooLong   the prompt does not fit
├── GuardError           a guard cannot tell whether a text is harmless
├── DeliveryError        the platform did not take a message
│   ├── RetryLater       …but will after `seconds`
│   ├── Unformattable    …because of its markup
│   ├── Unreachable      …as far as we know: the outcome of the call is unknown
│   └── Gone             …and never will: channel deleted, bot removed, person blocked it
├── HungUp               the running bot has ended before it answered its operator
├── FileRefused          a file or link is not taken in; its sentence may be shown to a person
│   └── NoDocument       …and nothing is lost: a picture, a program, no words at all
└── Declined             a turn ends; a chat user sees its sentence
    └── OverBudget       …because a budget is used up
"""

from bot.domain.replies import Button, Usage


class ParleyError(Exception):
    """Something expected went wrong; the text is one sentence for the operator."""


class ConfigError(ParleyError):
    """The configuration is wrong: `key: what is wrong; what to do`, one problem per line."""


class StoreError(ParleyError):
    """The store cannot be used."""


class StoreInUse(StoreError):
    """Another process has the database."""


class StoreBusy(StoreError):
    """The store cannot take an event now; the platform must not be told that it arrived."""


class Fenced(ParleyError):
    """Another worker owns this turn now: nothing more may be written or sent for it."""


class ModelError(ParleyError):
    """A model gave no answer; another one, or the same one later, may."""

    usage = Usage()  # what it took all the same


class ModelRefused(ModelError):
    """A model will not answer this, however often it is asked: wrong key, name or request."""


class ContextTooLong(ModelError):
    """The prompt does not fit into the model's context."""


class GuardError(ParleyError):
    """A guard cannot tell now whether a text is harmless."""


class DeliveryError(ParleyError):
    """A platform did not take a message."""


class RetryLater(DeliveryError):
    """The platform asks to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the platform asks to wait {seconds:g} s")
        self.seconds = seconds


class Unformattable(DeliveryError):
    """The platform cannot parse the markup; the plain text may still be sent."""


class Unreachable(DeliveryError):
    """The platform did not answer, so the outcome of the call is unknown."""


class Gone(DeliveryError):
    """The place is closed to the bot for good: deleted, removed, blocked, not permitted."""


class HungUp(ParleyError):
    """The running bot has ended before it answered; what was asked may be done or not."""


class FileRefused(ParleyError):
    """A file or link is not taken in; the text is one sentence that a chat user may see."""


class NoDocument(FileRefused):
    """A file that lies in a folder of documents and is none; whoever names it hears why."""


class Declined(ParleyError):
    """A turn ends here, with this sentence for the person who asked, and buttons below it."""

    def __init__(self, sentence: str, buttons: tuple[Button, ...] = ()) -> None:
        super().__init__(sentence)
        self.buttons = buttons

    @property
    def sentence(self) -> str:
        """The sentence as it is shown."""
        return str(self)


class OverBudget(Declined):
    """A budget leaves no room: nothing was paid, and nothing is remembered."""
