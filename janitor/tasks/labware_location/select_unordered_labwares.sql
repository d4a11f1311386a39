-- A page of the labwares that stand in a location itself.
SELECT labwares.id
FROM labwares
WHERE labwares.location_id = :location_id AND labwares.id > :after
ORDER BY labwares.id
LIMIT :page_rows
