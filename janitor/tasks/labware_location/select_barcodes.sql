-- The labwares with some barcodes.
SELECT labwares.id, labwares.barcode FROM labwares WHERE labwares.barcode IN :barcodes
