"""Operations on spends and holds: charge, settle, release, adjust and take back amounts."""
