"""The map of faults is complete, and every test that it names exists."""

import json
import subprocess
import sys

import pytest

from tests.acceptance.faults import NUMBERS, ROOT, absent, faults

ROWS = faults()


def test_no_fault_is_left_out():
    assert [row.number for row in ROWS] == NUMBERS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_fault_names_tests_that_exist_or_says_why_not(row):
    assert absent(row) == []
    assert len(set(row.tests)) == len(row.tests)
    assert bool(row.tests or row.missing) != bool(row.impossible)
    assert "\n" not in row.fault + row.missing + row.impossible


def test_the_map_is_printed_for_people_and_for_machines():
    command = [sys.executable, "-m", "tests.acceptance.faults"]
    for_people = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for_machines = subprocess.run(
        [*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "F54" in for_people.stdout
    assert {row["number"] for row in json.loads(for_machines.stdout)} == set(NUMBERS)
