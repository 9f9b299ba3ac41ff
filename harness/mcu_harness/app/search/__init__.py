"""The largest net that fits: a function that makes nets is tried with arguments until budgets are met. It trains nothing."""
