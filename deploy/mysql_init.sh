#!/bin/sh
# Run by the MySQL image when its folder is new: the three databases with their tables, and what Janitor's user may do.
# The image has made the user itself, from MYSQL_USER and MYSQL_PASSWORD. SCHEMAS is where the .sql files are.
set -eu

as_root() {
    MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --user=root --default-character-set=utf8mb4 "$@"
}

for database in labwhere mlwh mlwh_events; do
    as_root --execute="CREATE DATABASE $database CHARACTER SET utf8mb4"
    as_root "$database" <"${SCHEMAS:-/schemas}/$database.sql"
    as_root --execute="GRANT SELECT ON $database.* TO '$MYSQL_USER'@'%'"
done
as_root --execute="GRANT INSERT, UPDATE, DELETE ON mlwh.labware_location TO '$MYSQL_USER'@'%'"
