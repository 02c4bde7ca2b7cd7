-- One state of the database for all numbers of an answer.
begin isolation level repeatable read read only
