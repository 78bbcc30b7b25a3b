"""The meaning of a person's reply: still broken, solved, thanks, a question. The way in is `intent.intent_of`."""
