"""What Telegram's reports on the webhook mean, one after another."""

import pytest

from adapters.telegram.lookout import ELSEWHERE, Lookout

URL = "https://bot.example/hook"
CANNOT = "Telegram cannot deliver to the webhook: "


def report(waiting=0, failed=0, said="", url=URL):
    """Write a report as getWebhookInfo gives it."""
    error = {"last_error_date": failed, "last_error_message": said} if failed else {}
    return {"url": url, "pending_update_count": waiting, **error}


def look(*reports, taken=0):
    """Return what is complained of after each report; `taken` updates come before each."""
    lookout, complaints = Lookout(URL), []
    for info in reports:
        lookout.taken += taken
        complaints.append(lookout.complaint(info))
    return complaints


def test_a_webhook_without_news_is_well():
    assert look(report(), report(), report()) == ["", "", ""]


def test_an_old_failure_is_no_news():
    old = report(failed=7, said="once")
    assert look(old, old, report(waiting=3, failed=7, said="once")) == ["", "", ""]


def test_a_new_failure_is_told_in_telegrams_words():
    assert look(report(), report(1, 9, "Connection refused"))[1] == CANNOT + "Connection refused"


def test_a_failure_that_was_made_good_is_none():
    assert look(report(), report(0, 9, "Connection refused"), taken=1) == ["", ""]


def test_what_is_down_stays_down_until_updates_come_again():
    failing = report(2, 9, "Connection refused")
    lookout = Lookout(URL)
    assert [bool(lookout.complaint(info)) for info in (report(), failing, failing)] == [0, 1, 1]
    lookout.taken = 2
    assert lookout.complaint(report(1, 9, "Connection refused")) == ""


def test_updates_that_only_pile_up_are_told_too():
    assert look(report(), report(5), report(9)) == ["", "", CANNOT + "it does not say why"]


def test_a_busy_webhook_may_have_updates_waiting():
    assert look(report(5), report(9), report(4), taken=100) == ["", "", ""]


@pytest.mark.parametrize("url", ["", "https://else.example/hook"])
def test_a_webhook_that_is_not_ours_is_told(url):
    assert look(report(), report(url=url)) == ["", ELSEWHERE]
