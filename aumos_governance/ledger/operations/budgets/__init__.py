"""Operations on limits: category budgets within a session, and ceilings around sessions."""
