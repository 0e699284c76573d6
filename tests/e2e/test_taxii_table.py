"""docs/TAXII.md says of every requirement where the code does it and which tests guard it; this reads
the page and looks."""
import re

import pytest

from setu_node import ROOT

PAGE = (ROOT / "docs" / "TAXII.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]]
        for line in PAGE.splitlines() if re.match(r"\| T\d", line)]


def named(cell, folder):
    """The `file:name` of a cell."""
    found = re.fullmatch(r"`[\w/.]+:\w+`(, `[\w/.]+:\w+`)*", cell)
    assert found, f"not of the form `file:name`, …: {cell}"
    return [(folder + file, name) for file, name in re.findall(r"`([\w/.]+):(\w+)`", cell)]


def test_numbers_are_in_order_and_stand_once():
    numbers = [row[0] for row in ROWS]
    assert len(ROWS) > 80
    assert numbers == sorted(set(numbers)) and all(re.fullmatch(r"T\d{3}", n) for n in numbers)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_code_and_tests_exist(row):
    number, clause, level, requirement, code, tests = row
    assert level in "MSCH" and requirement and (clause or level in "HC")
    for file, name in named(code, "src/"):
        assert re.search(rf"^[\w *]*\b{name}\(", (ROOT / file).read_text(), re.M), f"{file}: {name}"
    for file, name in named(tests, "tests/"):
        text = (ROOT / file).read_text()
        if file.endswith(".py"):
            assert re.search(rf"^def {name}\(", text, re.M) and name.startswith("test_"), name
        else:
            assert re.search(rf"^static [\w ]*\b{name}[(\[]", text, re.M), f"{file}: {name}"


def test_no_test_of_the_standard_is_of_no_row():
    file = "tests/e2e/test_taxii.py"
    there = set(re.findall(r"^def (test_\w+)\(", (ROOT / file).read_text(), re.M))
    told = {name for row in ROWS for f, name in named(row[5], "tests/") if f == file}
    assert there == told
