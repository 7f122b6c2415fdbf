"""Operations on agents' trust levels and consents, and the evaluation of their actions."""
