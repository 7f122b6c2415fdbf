"""The SDK's budgets, one for each category of costs that the user names: `BudgetManager`."""
