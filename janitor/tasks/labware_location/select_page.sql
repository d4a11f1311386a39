-- How many labwares the next page has, and the id of the last.
SELECT COUNT(*) AS labwares, MAX(page.id) AS last
FROM (SELECT labwares.id FROM labwares WHERE labwares.id > :after ORDER BY labwares.id LIMIT :page_rows) AS page
