"""The arguments of magics that are accepted and refused, in a real kernel."""

from __future__ import annotations

from tests.kernel.real_kernel import Kernel, refused

BAD = [
    ("%governance_spend nan", "InvalidAmountError", "The amount must be a finite number"),
    ("%governance_spend inf", "InvalidAmountError", "The amount must be a finite number"),
    ("%governance_spend -1", "InvalidAmountError", "The amount must not be negative"),
    ("%governance_spend -$5", "InvalidAmountError", "must not be negative"),
    ("%governance_spend 0", "InvalidAmountError", "more than 0"),
    ("%governance_spend abc", "InvalidAmountError", "not 'abc'"),
    ("%governance_spend 0.0000000001", "InvalidAmountError", "at most 9 decimals"),
    ("%governance_spend {no_such_name}", "InvalidAmountError", "not '{no_such_name}'"),
    ("%governance_spend", "InvalidRequestError", "needs an amount"),
    ("%governance_spend --tool gpt-4o", "InvalidRequestError", "needs an amount"),
    ("%governance_spend 0.05 0.06", "InvalidRequestError", "does not take the argument '0.06'"),
    ("%governance_spend 0.05 --toll x", "InvalidRequestError", "no option '--toll'"),
    ("%governance_spend 0.05 --tool", "InvalidRequestError", "--tool needs a value"),
    ("%governance_spend 0.05 --tool ''", "InvalidRequestError", "--tool needs a value"),
    ("%governance_spend 0.05 --tool 'x", "InvalidRequestError", "quote"),
    ("%governance --trust-level 9", "InvalidRequestError", "from 0 to 5, not '9'"),
    ("%governance --trust-level -1", "InvalidRequestError", "from 0 to 5, not '-1'"),
    ("%governance --trust-level high", "InvalidRequestError", "from 0 to 5, not 'high'"),
    ("%governance --budget nan", "InvalidAmountError", "The budget must be a finite number"),
    ("%governance --budget -1", "InvalidAmountError", "The budget must not be negative"),
    ("%governance --budget", "InvalidRequestError", "--budget needs a value"),
    ("%governance 10", "InvalidRequestError", "does not take the argument '10'"),
    ("%governance_status now", "InvalidRequestError", "does not take the argument 'now'"),
    ("%governance_disable now", "InvalidRequestError", "does not take the argument 'now'"),
    ("%governance_audit --last 0", "InvalidRequestError", "The --last must be a whole number from 1 to 1000, not '0'."),
    ("%governance_audit --last many", "InvalidRequestError", "The --last must be a whole number from 1 to 1000, not"),
]


def test_bad_arguments_raise_one_sentence_and_change_nothing(kernel: Kernel) -> None:
    kernel.run("%governance\n%governance_spend 0.05")
    before = kernel.run("%governance_audit").displays[0]["text/plain"]
    for line, ename, sentence in BAD:
        outcome = kernel.run(f"{line}\nprint('the paid call')")
        refused(outcome, ename, sentence)
        assert outcome.text == "", line
    assert kernel.run("%governance_audit").displays[0]["text/plain"] == before


def test_a_comment_behind_a_magic_is_a_comment(kernel: Kernel) -> None:
    assert kernel.run("%governance --budget 5  # for today's run").lines[-1].endswith("budget=$5.00")
    assert kernel.run("%governance_spend 0.05 --tool gpt#4 # why").lines == [
        "Recorded: $0.05 for gpt#4 ($4.95 remaining)"
    ]


def test_variables_are_filled_in_and_floats_mean_amounts(kernel: Kernel) -> None:
    kernel.run(
        "%governance\nfrom decimal import Decimal\ncost, tiny, exact, tool = 0.1 * 3, 1e-05, Decimal('1E-9'), 'gpt-4o'"
    )
    assert kernel.run("%governance_spend {cost} --tool $tool").lines == ["Recorded: $0.30 for gpt-4o ($9.70 remaining)"]
    assert kernel.run("%governance_spend $tiny").lines == ["Recorded: $0.00001 for unknown ($9.69999 remaining)"]
    assert kernel.run("%governance_spend {exact}").lines == [
        "Recorded: $0.000000001 for unknown ($9.699989999 remaining)"
    ]
    local = "def f():\n    price = 1 / 3\n    %governance_spend {price} --tool {'a' + 'b'}\nf()"
    assert kernel.run(local).lines == ["Recorded: $0.333333333 for ab ($9.366656666 remaining)"]
    refused(kernel.run("cost = float('nan')\n%governance_spend {cost}"), "InvalidAmountError", "finite number")
