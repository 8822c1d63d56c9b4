"""How many workers a daily volume takes, where it bends first, and what to change then."""
