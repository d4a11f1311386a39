-- The products of some runs whose flowcell row names a sample and a study, each with its place in iRODS where it has one.
-- MySQL joins in this order, whatever it believes of tables that it has not analysed yet.
SELECT /*! STRAIGHT_JOIN */
  products.id_run,
  sample.uuid_sample_lims,
  sample.supplier_name,
  study.id_lims AS study_lims,
  study.id_study_lims,
  study.name AS study_name,
  places.irods_root_collection,
  places.irods_data_relative_path,
  places.irods_secondary_data_relative_path
FROM iseq_product_metrics AS products
JOIN iseq_flowcell AS flowcell ON flowcell.id_iseq_flowcell_tmp = products.id_iseq_flowcell_tmp
JOIN sample ON sample.id_sample_tmp = flowcell.id_sample_tmp
JOIN study ON study.id_study_tmp = flowcell.id_study_tmp
LEFT JOIN seq_product_irods_locations AS places ON places.id_product = products.id_iseq_product
WHERE products.id_run IN :id_runs
