-- Which of some labwares there are.
SELECT labwares.id FROM labwares WHERE labwares.id IN :labware_ids
