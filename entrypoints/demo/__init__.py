"""`counterfoil demo`: an anonymous checkout, from the empty books to the last event, over real HTTP."""
