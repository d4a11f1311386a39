SELECT product, sum(pieces) AS pieces, sum(pieces * price_pence) AS pence
FROM sales
WHERE sold_at >= :day AND sold_at < :next_day
GROUP BY product
ORDER BY pence DESC, product
