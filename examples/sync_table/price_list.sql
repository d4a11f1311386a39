CREATE TABLE IF NOT EXISTS price_list (
    product_id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL,
    price_pence INTEGER NOT NULL,
    version INTEGER NOT NULL,
    written_at DATETIME NOT NULL
);
