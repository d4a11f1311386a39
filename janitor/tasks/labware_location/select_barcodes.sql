-- Which of some barcodes a labware has.
SELECT labwares.barcode FROM labwares WHERE labwares.barcode IN :barcodes
