-- The labwares that stand at coordinates of a location.
SELECT labwares.id
FROM coordinates
JOIN labwares ON labwares.coordinate_id = coordinates.id
WHERE coordinates.location_id = :location_id
