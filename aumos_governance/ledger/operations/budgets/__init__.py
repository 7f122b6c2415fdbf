"""The operations on limits on money: budgets of categories within a session, and ceilings around several sessions."""
