-- Which of these keys are stored already, and with what content.
select key, content from events where key = any (@keys::uuid[])
