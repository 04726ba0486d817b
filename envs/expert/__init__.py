"""The scripted expert: it knows the hidden rules and plans with them."""
