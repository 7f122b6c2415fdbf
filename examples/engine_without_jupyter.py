"""Govern an agent's paid calls in a Python program, without Jupyter. Run it with: python engine_without_jupyter.py"""

from aumos_governance import GovernanceAction, GovernanceDeniedError, GovernanceEngine, TrustLevel

with GovernanceEngine(ledger="sqlite:///agent.db") as engine:  # run it twice: what was spent this month counts
    engine.trust.set_level("researcher", TrustLevel.L2_SUGGEST)
    engine.budget.create_budget("llm", limit="0.09", period="monthly")
    call = GovernanceAction(
        "researcher", TrustLevel.L1_MONITOR, budget_category="llm", budget_amount=0.04, action_type="gpt-4o-mini"
    )
    for question in ("What is a ledger?", "What is a hash chain?", "What is a budget?"):
        try:
            with engine.authorize(call) as grant:  # $0.04 is held, so that no other call can spend it
                print(f"Question: {question}")  # the paid call goes here
                grant.settle(0.03)  # the true cost; the rest is released
        except GovernanceDeniedError as denied:
            print(denied)
    print(f"Spent: ${engine.budget.balance('llm').spent}, records intact: {engine.realm.ledger.verify().ok}")
