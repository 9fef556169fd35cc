from __future__ import annotations

from pathlib import Path

from shop_blocks import AddTaxBlock, BookOrderBlock

from actbook.blocks.testing import assert_outputs, error_of, run_block
from actbook.graphs import ExecutionContext


def test_every_price_gets_the_tax_and_the_total_is_theirs() -> None:
    assert_outputs(AddTaxBlock, {"prices": [10, "2.5"]}, ("price", 12.0), ("price", 3.0), ("total", 15.0))


def test_a_negative_tax_fails() -> None:
    assert error_of(AddTaxBlock, {"prices": [1], "percent": -1}) == "percent must not be negative, it is -1"


def test_an_order_is_booked_once_however_many_attempts_it_takes(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.txt"
    for attempt in (1, 2):
        context = ExecutionContext(node_exec_id="run.7", attempt=attempt, idempotency_key="run.7")
        order = {"order": "A-17", "total": 15, "ledger": str(ledger)}
        assert run_block(BookOrderBlock, order, context) == [("line", "run.7 A-17 15.00")]
    assert ledger.read_text("utf-8") == "run.7 A-17 15.00\n"
