-- Step 2: who is on a task ('' = nobody). Frozen: a later change of the schema is a later step.

ALTER TABLE tasks ADD COLUMN claimed_by TEXT DEFAULT '' NOT NULL;
