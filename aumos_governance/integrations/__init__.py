"""Governed clients of providers' libraries, and adapters for frameworks such as LangChain.

`clients` has the function `govern`. `pricing` computes what a call may cost and has cost, `guarding` holds and charges
these amounts, and each provider's package knows its API. Other modules adapt one framework each, or keep the earlier
SDK's classes.
"""
