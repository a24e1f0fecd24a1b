"""The catalogues of faults and attacks are complete, and every test that they name exists."""

import json
import subprocess
import sys

import pytest

from tests.acceptance.attacks import ATTACKS
from tests.acceptance.catalogue import ROOT, absent
from tests.acceptance.faults import FAULTS

CATALOGUES = (FAULTS, ATTACKS)
ROWS = [row for catalogue in CATALOGUES for row in catalogue.rows()]


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda catalogue: catalogue.kind)
def test_no_row_is_left_out(catalogue):
    assert [row.number for row in catalogue.rows()] == catalogue.numbers


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_row_names_tests_that_exist_or_says_why_not(row):
    assert absent(row) == []
    assert len(set(row.tests)) == len(row.tests)
    assert bool(row.tests or row.missing) != bool(row.impossible)
    assert "\n" not in row.what + row.missing + row.impossible


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda catalogue: catalogue.kind)
def test_a_catalogue_is_printed_for_people_and_for_machines(catalogue):
    command = [sys.executable, "-m", f"tests.acceptance.{catalogue.module}"]
    for_people = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for_machines = subprocess.run(
        [*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert catalogue.numbers[-1] in for_people.stdout
    assert [row["number"] for row in json.loads(for_machines.stdout)] == catalogue.numbers
