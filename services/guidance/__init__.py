"""From an error code to what people read: the sentence, its cause, the next step and who needs to act."""
