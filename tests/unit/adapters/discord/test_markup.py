"""Tables become grids, deep headings bold, all else stays."""

import time

import pytest

from adapters.discord.markup import render

TABLE = "| Name | Size |\n| --- | ---: |\n| `a` | **1** |\n| 日本 | x\\|y |"
GRID = "```\nName | Size\n-----+-----\na    |    1\n日本 |  x|y\n```"


def test_a_table_is_a_grid_in_a_code_block():
    assert render(f"Look:\n{TABLE}\n\nend") == f"Look:\n{GRID}\n\nend"


def test_a_table_without_outer_pipes_and_with_a_short_row():
    grid = "```\na | b\n--+--\n1 |\n2 | 3\n```"
    assert render("a | b\n--|--\n1 |\n2 | 3") == grid


def test_two_tables_stay_two():
    assert render(f"{TABLE}\n\n{TABLE}") == f"{GRID}\n\n{GRID}"


@pytest.mark.parametrize(
    "text",
    [
        "# one\n## two\n### three\n- **bold** [link](https://x) || spoiler ||",
        f"```\n{TABLE}\n```",
        f"~~~~md\n```\n{TABLE}\n~~~~",
        "a | b\nno delimiter",
        "```\n#### in code\n```",
        "a || b",
        "#hashtag",
        "1 | 2",
        "- a | b\n--|--",
        "a | b\n---",
        "",
    ],
)
def test_everything_else_stays_as_it_is(text):
    assert render(text) == text


def test_deep_headings_are_bold():
    assert render("#### four ####\n###### six\ntext") == "**four**\n**six**\ntext"


def test_a_table_behind_a_closed_fence_is_one_again():
    assert render(f"```\nx\n```\n{TABLE}") == f"```\nx\n```\n{GRID}"


def test_a_line_full_of_pipes_costs_no_more_than_any_other():
    began = time.process_time()
    render("|" * 200_000)
    assert time.process_time() - began < 1
