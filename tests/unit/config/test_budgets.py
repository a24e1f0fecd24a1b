"""Budgets as an operator writes them: a number, a table, or a variable."""

import pytest

from bot.domain.budgets import Limits, Rule

PRICED = '[models.main]\nkind = "openai"\nmodel = "m"\nprice_input = 1.0\n'


def rules(config):
    return {(rule.scope, rule.unit, rule.period): rule.most for rule in config.budgets.rules()}


def test_nothing_is_limited_unless_somebody_says_so(read):
    assert list(read().budgets.rules()) == []
    assert read().budgets.rate_per_minute == 0


def test_a_number_holds_per_day(read):
    config = read("[budgets.per_person]\ntokens = 50000")
    assert list(config.budgets.rules()) == [
        Rule(scope="per_person", unit="tokens", period="day", most=50_000)
    ]


def test_a_number_holds_per_month_where_that_is_said(read):
    config = read('[budgets.total]\nmessages = 9\nper = "month"')
    assert rules(config) == {("total", "messages", "month"): 9}


def test_a_table_limits_days_and_months(read):
    config = read(PRICED + "[budgets.per_channel]\nusd = {day = 0.5, month = 5}")
    assert rules(config) == {("per_channel", "usd", "day"): 0.5, ("per_channel", "usd", "month"): 5}


@pytest.mark.parametrize(
    ("variable", "value", "period"),
    [
        ("PARLEY__BUDGETS__PER_PERSON__MESSAGES", "20", "day"),
        ("PARLEY__BUDGETS__PER_PERSON__MESSAGES__MONTH", "20", "month"),
        ("PARLEY__BUDGETS__PER_PERSON__MESSAGES", "{month = 20}", "month"),
    ],
)
def test_a_variable_limits_too(read, variable, value, period):
    assert rules(read(**{variable: value})) == {("per_person", "messages", period): 20}


def test_a_variable_sets_the_pace(read):
    assert read(PARLEY__BUDGETS__RATE_PER_MINUTE="9").budgets.rate_per_minute == 9


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[budgets.total]\nmessages = 0",
         "budgets.total.messages: 0 a day would leave every message unanswered; leave it out for no limit"),
        ("[budgets.total]\nmessages = {month = -5}",
         "budgets.total.messages: -5 a month would leave every message unanswered; leave it out for no limit"),
        ("[budgets.total]\ntokens = nan",
         "budgets.total.tokens: nan a day would leave every message unanswered; leave it out for no limit"),
        ("[budgets]\nrate_per_minute = -1", "budgets.rate_per_minute: -1 is below 0; 0 is any number"),
        ("[budgets.per_person]\nusd = 1.0",
         "budgets.per_person.usd: no model has a price, so nothing would ever count; set price_input and price_output of your model"),
        ("[budgets.per_persn]\nusd = 1.0",
         "budgets.per_persn: unknown key; did you mean per_person?"),
        ("[budgets.total]\ntoken = 1", "budgets.total.token: unknown key; did you mean tokens?"),
        ("[budgets.total]\ntokens = {dya = 1}", "budgets.total.tokens.dya: unknown key; did you mean day?"),
        ("[budgets.total]\ntokens = 'many'", "budgets.total.tokens: is 'many'; write a number"),
        ("[budgets.total]\ntokens = {day = 'many'}",
         "budgets.total.tokens.day: is 'many'; write a number"),
        ("[budgets.total]\nper = 'week'", "budgets.total.per: is 'week'; write 'day' or 'month'"),
        ("[budgets]\ntotal = 5", "budgets.total: is 5; write a table"),
    ],
)  # fmt: skip
def test_a_budget_that_cannot_work(problems, text, line):
    assert problems(text) == [line]


def test_a_limit_of_a_table_with_one_period_leaves_the_other_open(read):
    assert read("[budgets.total]\ntokens = {month = 7}").budgets.total.tokens == Limits(month=7)
