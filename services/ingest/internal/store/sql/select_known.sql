-- Which of these keys are stored already, and what decides about one that comes again.
select key, content, received, seq, voided from events where key = any (@keys::uuid[])
