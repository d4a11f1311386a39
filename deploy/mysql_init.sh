#!/bin/sh
# The MySQL image runs this when its folder is new. It makes the three databases with their tables, and grants
# Janitor's user its rights. The image itself has made the user, from MYSQL_USER and MYSQL_PASSWORD. SCHEMAS is the
# folder of the .sql files.
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
