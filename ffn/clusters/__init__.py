"""Work that other machines do: what is sent to them, and who may be sent it."""
