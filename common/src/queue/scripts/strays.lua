-- Forgets tasks that are known but nowhere to be fetched from: left so by a hand, or by a server that
-- was told to throw keys away. While known they could not be put in again.
--
-- KEYS: the payloads, what waits, what is scheduled, what is done, what is dead, the workers
-- ARGV: the prefix of the tasks' own hashes, the prefix of what workers hold, the most payloads to
--       look through
-- Returns how many there were.
local known = redis.call('HLEN', KEYS[1])
local workers = redis.call('ZRANGE', KEYS[6], 0, -1)
local placed = redis.call('LLEN', KEYS[2]) + redis.call('ZCARD', KEYS[3])
    + redis.call('SCARD', KEYS[4]) + redis.call('SCARD', KEYS[5])
for _, worker in ipairs(workers) do
    placed = placed + redis.call('SCARD', ARGV[2] .. worker)
end
if placed >= known or known > tonumber(ARGV[3]) then
    return 0
end
local found = {}
local function find(ids)
    for _, id in ipairs(ids) do
        found[id] = true
    end
end
find(redis.call('LRANGE', KEYS[2], 0, -1))
find(redis.call('ZRANGE', KEYS[3], 0, -1))
find(redis.call('SMEMBERS', KEYS[4]))
find(redis.call('SMEMBERS', KEYS[5]))
for _, worker in ipairs(workers) do
    find(redis.call('SMEMBERS', ARGV[2] .. worker))
end
local strays = 0
for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
    if not found[id] then
        redis.call('HDEL', KEYS[1], id)
        redis.call('DEL', ARGV[1] .. id)
        strays = strays + 1
    end
end
return strays
