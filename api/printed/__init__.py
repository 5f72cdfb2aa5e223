"""A plan on paper and in other programs: calendar file, work sheets, labels."""
