-- Whether anything moved that versions rest on. All spaces, few rows: to pick some of
-- them takes longer than to read them.
select id, version from spaces
