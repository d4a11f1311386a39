CREATE TABLE IF NOT EXISTS products (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    price_pence INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);

-- The feed: a row for each change of a product, whoever makes it.
CREATE TABLE IF NOT EXISTS product_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER NOT NULL
);

CREATE TRIGGER IF NOT EXISTS product_came AFTER INSERT ON products
BEGIN INSERT INTO product_changes (product_id) VALUES (NEW.id); END;

CREATE TRIGGER IF NOT EXISTS product_changed AFTER UPDATE ON products
BEGIN INSERT INTO product_changes (product_id) VALUES (NEW.id); END;

CREATE TRIGGER IF NOT EXISTS product_went AFTER DELETE ON products
BEGIN INSERT INTO product_changes (product_id) VALUES (OLD.id); END;

INSERT INTO products (name, price_pence)
SELECT * FROM (VALUES
    ('Kettle', 2400), ('Teapot', 1850), ('Cup', 420),
    ('A very large tea towel with all the lighthouses of the west coast on it', 990))
WHERE NOT EXISTS (SELECT 1 FROM products);
