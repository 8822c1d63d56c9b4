"""Short texts as numbers: hashed n-grams of characters, weighted and projected."""
