"""Operations on governance sessions and on their notebooks."""
