"""Networks seen while they learn, and afterwards: what ``ffn watch`` shows."""
