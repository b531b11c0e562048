"""HTTP for people: one blueprint for each subject, and what the blueprints share."""
