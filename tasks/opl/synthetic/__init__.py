"""The synthetic benchmark: every learner in environments whose expected rewards are known in closed form."""
