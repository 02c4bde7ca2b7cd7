-- Members of a name, or whose name or id holds a text. What is in the text is no
-- pattern.
select id from members
where member = @member or (@text <> '' and (strpos(lower(member), lower(@text)) > 0 or strpos(lower(name), lower(@text)) > 0))
order by id
