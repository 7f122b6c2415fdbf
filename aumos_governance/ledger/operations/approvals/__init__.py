"""Operations on approval requests, which a user decides, and on reports, which a user acknowledges."""
