"""Operations on spends and holds: charge, settle, release, adjust, reverse and correct amounts."""
