-- Step 10: doses are found by their step, their state and their pump without reading all of them. Frozen.

CREATE INDEX doses_of_step ON doses (run_id, path);

CREATE INDEX doses_in_state ON doses (state);

CREATE INDEX doses_of_pump ON doses (device);
