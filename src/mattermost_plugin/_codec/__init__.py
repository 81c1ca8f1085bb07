"""The hand-written core that generated codecs call: message classes, `any` values, errors, explanations."""
